"""A canary rises while it is healthy and is pulled back when it is not, by what the log says of it.

Margins say how much worse is still healthy: for `errors`, `unsure` and `right` a difference of shares, for `seconds`
how many times the control's. It is pulled once it is surely worse by more than that, however often one looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from sightline.core.errors import SettingsError, nearest
from sightline.core.progress import Event, Tell, silent
from sightline.registering.version import Source
from sightline.serving.arms import RISING, Traffic, pulled, raised
from sightline.serving.sequential import RATIO, Verdict, share
from sightline.serving.standings import EITHER, LESS, MEASURES, Standing, standings

if TYPE_CHECKING:
    from sightline.serving.predictions import Predictions


HALF = 0.5  # the share of failures that no control excuses
EVERY = 15.0  # seconds between two looks of a service


class Steered(Source, Protocol):
    """A source whose traffic can be set."""

    def set_traffic(self, name: str, traffic: Mapping[str, Any] | None) -> Any:
        """Keep how requests are shared from now on."""


def review(traffic: Traffic, standing: Standing, now: datetime) -> Traffic:
    """The traffic as it should be: the same, a step further, or pulled back with the reason."""
    rise = traffic.rise
    if rise is None or rise.state != RISING:
        return traffic
    if reasons := ailments(standing, rise.margins):
        return pulled(traffic, "; ".join(reasons))
    lasted = (now - datetime.fromisoformat(rise.since)).total_seconds()
    if lasted >= rise.seconds and standing.recent >= rise.least and standing.counts[0] >= rise.least:
        return raised(traffic)  # without a control nobody could say that it is healthy
    return traffic


def tend(source: Steered, log: Predictions, name: str, *, tell: Tell = silent) -> Traffic:
    """Look at the canary of a model, if it has one, and set its traffic where that should change."""
    traffic = Traffic.from_json(source.traffic(name))
    if traffic.rise is None or traffic.rise.state != RISING:
        return traffic
    found = standings(log, name, traffic, versions(source, name, traffic))
    after = review(traffic, found[0], datetime.now(UTC))
    if after is traffic:
        return traffic
    if Traffic.from_json(source.traffic(name)) != traffic:  # somebody else was quicker
        return Traffic.from_json(source.traffic(name))
    source.set_traffic(name, after.to_json())
    tell(Event("warn" if after.rise and after.rise.why else "note", said(name, after), after.to_json()))
    return after


def tend_all(source: Source, log: Predictions, *, tell: Tell = silent) -> None:
    """Look at the canaries of all models, where the source lets its traffic be set."""
    if hasattr(source, "set_traffic"):
        for name in source.names():
            tend(cast(Steered, source), log, name, tell=tell)


def said(name: str, traffic: Traffic) -> str:
    """Where a canary is, in one line."""
    rise, arm = traffic.rise, traffic.challengers[0]
    if rise is None:
        return f"{name}: no canary"
    if rise.why:
        return f"{name}: {arm} was pulled back at step {rise.step + 1} of {len(rise.steps)}: {rise.why}"
    if rise.state != RISING:
        return f"{name}: {arm} has come through all {len(rise.steps)} steps and answers {traffic.shares[arm]:.0%}"
    return f"{name}: {arm} answers {traffic.shares[arm]:.0%}, step {rise.step + 1} of {len(rise.steps)}"


def versions(source: Source, name: str, traffic: Traffic) -> dict[str, int]:
    """The number that each arm is now."""
    return {
        arm: source.version(name, int(arm) if arm.isdecimal() else arm).number
        for arm in (traffic.control, *traffic.challengers)
    }


def ailments(standing: Standing, margins: Mapping[str, float]) -> list[str]:
    """In what the challenger is certainly worse than its margins allow."""
    found = []
    if share(standing.failed, standing.counts[1])[0] > HALF:  # also where the control was never asked
        found.append(f"it failed {standing.failed:,} of {standing.counts[1]:,} requests")
    for name, margin in margins.items():
        if name not in MEASURES or MEASURES[name].better == EITHER:
            known = [word for word, measure in MEASURES.items() if measure.better != EITHER]
            raise SettingsError(f"margin '{name}': must be one of {', '.join(known)}.{nearest(name, known)}")
        verdict, less = standing.verdicts[name], MEASURES[name].better == LESS
        if verdict.above(margin) if less else verdict.below(-margin):
            found.append(f"{name} {_told(verdict)}, allowed is {_shown(verdict, margin if less else -margin)}")
    return found


def _told(verdict: Verdict) -> str:
    return f"{_shown(verdict, verdict.difference)} ({_shown(verdict, verdict.low)} to {_shown(verdict, verdict.high)})"


def _shown(verdict: Verdict, value: float) -> str:
    return f"{value:.3g} times" if verdict.kind == RATIO else f"{value:+.3g}"
