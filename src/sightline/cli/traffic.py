"""Share requests between versions: --split, --canary, --shadow, --cascade or --off; without them, how the arms stand.

The differences hold at every look, so look as often as you like. A canary is moved by the service that answers; --tend
moves it from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.cli._versions import WHERE
from sightline.core.errors import SettingsError

if TYPE_CHECKING:
    from sightline.serving.arms import Traffic
    from sightline.serving.cascades import Point
    from sightline.serving.standings import Standing


def run(
    screen: Screen,
    name: Annotated[str, "of the model"],
    *,
    split: Annotated[str | None, "arms and their shares, such as champion=90,challenger=10"] = None,
    canary: Annotated[str | None, "an alias or number whose share grows by steps while it is healthy"] = None,
    shadow: Annotated[str | None, "aliases or numbers that answer too, while nobody waits for them"] = None,
    cascade: Annotated[str | None, "who is asked where the champion is less sure than --confidence"] = None,
    off: Annotated[bool, "the champion answers all"] = False,
    share: Annotated[float | None, "of a canary to begin with, in percent"] = None,
    steps: Annotated[str, "of a canary, in percent"] = "5,25,50,100",
    hold: Annotated[float, "seconds that a step lasts at least"] = 3600.0,
    least: Annotated[int, "answers of the canary that a step needs"] = 200,
    confidence: Annotated[float, "the score that needs no second answer"] = 0.8,
    by: Annotated[str, "what keeps its arm: caller or picture"] = "caller",
    tend: Annotated[bool, "move the canary now, if it should be"] = False,
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """Arms, shares, requests; and for each measure the difference with its interval and what may be said."""
    from sightline.registering.registry import open_registry
    from sightline.serving import arms, canaries
    from sightline.serving.cascades import curve
    from sightline.serving.places import PREDICTIONS, beside
    from sightline.serving.predictions import open_predictions
    from sightline.serving.standings import standings

    asked = {"--split": split, "--canary": canary, "--shadow": shadow, "--cascade": cascade, "--off": off or None}
    chosen = [word for word, given in asked.items() if given is not None]
    if len(chosen) > 1:
        raise SettingsError(f"{' and '.join(chosen)} say different things. Give one of them.")
    if canary is not None:
        rise = arms.Rise(steps=_steps(share, steps), seconds=hold, least=least)
        wanted = arms.canary(canary, rise=rise, by=by)
    elif split is not None:
        wanted = arms.split(_shares(split), by=by)
    elif shadow is not None:
        wanted = arms.shadow(tuple(word.strip() for word in shadow.split(",")))
    else:
        wanted = arms.cascade(cascade, confidence=confidence) if cascade is not None else arms.SINGLE
    with open_registry(registry, create=False) as source:
        if chosen:
            canaries.versions(source, name, wanted)  # that they are there
            source.set_traffic(name, None if off else wanted.to_json())
        traffic = arms.Traffic.from_json(source.traffic(name))
        with open_predictions(beside(registry, PREDICTIONS)) as log:
            if tend:
                traffic = canaries.tend(source, log, name, tell=screen.tell)
            numbers = canaries.versions(source, name, traffic)
            found = standings(log, name, traffic, numbers)
            curves = {arm: curve(log, name, traffic, arm) for arm in traffic.shadows}
    _say(screen, name, traffic, numbers, found)
    for arm, points in curves.items():
        _say_curve(screen, arm, points)
    rows = [standing.to_json() for standing in found]
    alone = {arm: [asdict(point) for point in points] for arm, points in curves.items()}
    return {"name": name, "traffic": traffic.to_json(), "versions": numbers, "standings": rows, "alone": alone}


def _shares(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for word in text.split(","):
        arm, equals, share = (part.strip() for part in word.partition("="))
        try:
            found[arm] = float(share)
        except ValueError:
            equals = ""
        if not equals:
            raise SettingsError(f"--split {text}: write arms and shares, such as champion=90,challenger=10.")
    return found


def _steps(share: float | None, text: str) -> tuple[float, ...]:
    try:
        steps = [float(word) for word in text.split(",")]
    except ValueError as error:
        raise SettingsError(f"--steps {text}: must be percentages, such as 5,25,50,100.") from error
    if share is not None:
        steps = [share, *(step for step in steps if step > share)]
    return tuple(step / 100 for step in steps)


def _say(screen: Screen, name: str, traffic: Traffic, numbers: Mapping[str, int], found: Sequence[Standing]) -> None:
    from sightline.serving import canaries

    if traffic.kind == "single":
        screen.say(f"{name} {numbers[traffic.control]}: the {traffic.control} answers all")
        return
    if traffic.rise is not None:
        screen.say(canaries.said(name, traffic))
    else:
        screen.say(f"{name}: {traffic.kind} by {traffic.by} since {traffic.began[:19].replace('T', ' ')}")
    counts = {traffic.control: found[0].counts[0]} | {one.arm: one.counts[1] for one in found}
    rows = [("arm", "version", "share", "requests")]
    for arm, number in numbers.items():
        part = f"{traffic.shares[arm]:.4g}" if arm in traffic.shares else ""
        rows.append((arm, str(number), part and f"{100 * float(part):.4g} %", f"{counts[arm]:,}"))
    for line in columns(rows):
        screen.say(line)
    if traffic.by == "caller" and len(traffic.shares) > 1 and sum(found[0].counts) >= 20 > found[0].subjects:
        screen.say(f"all are of {found[0].subjects} callers; --by picture would share out their pictures")
    if traffic.kind == "cascade":
        every = sum(found[0].counts)
        if every:
            screen.say(f"{traffic.control} answered {found[0].counts[0] / every:.1%} of {every:,} requests alone")
        return  # who is asked the hard ones is not compared with who is asked the easy ones
    for standing in found:
        screen.say("")
        for line in columns(_measures(standing)):
            screen.say(line)
        if standing.same:
            same, every = standing.same
            screen.say(
                f"{same:,} of {every:,} answers have the same first name" if every else "no answers to compare yet"
            )


def _say_curve(screen: Screen, arm: str, points: Sequence[Point]) -> None:
    """What the control could answer without this shadow, for a cascade."""
    if not points[0].count:
        return
    screen.say("")
    rows = [(f"before {arm}", "answered alone", f"as {arm} does", "at every look")]
    rows += [
        (f"{point.confidence:g}", f"{point.alone:.1%}", f"{point.same:.1%}", f"{point.low:.1%} to {point.high:.1%}")
        for point in points
        if point.count
    ]
    for line in columns(rows):
        screen.say(line)


def _measures(standing: Standing) -> list[tuple[str, ...]]:
    from sightline.serving.sequential import RATE, RATIO
    from sightline.serving.standings import MEASURES

    rows: list[tuple[str, ...]] = [("", standing.control, standing.arm, "difference", "at every look", "")]
    for name, verdict in standing.verdicts.items():
        if not all(verdict.counts):
            continue
        sign, unit = ("", " times") if verdict.kind == RATIO else ("+", "")
        scale, end = (100, " %") if verdict.kind == RATE else (1, " s" if name == "seconds" else "")
        factor = 100 if verdict.kind == RATE else 1
        low, high = (f"{factor * value:{sign}.3g}" for value in (verdict.low, verdict.high))
        rows.append(
            (
                name, f"{scale * verdict.control:.3g}{end}", f"{scale * verdict.challenger:.3g}{end}",
                f"{factor * verdict.difference:{sign}.3g}{unit}", f"{low} to {high}{unit}", standing.says(name),
            )
        )  # fmt: skip
    return rows if len(rows) > 1 else [(f"nothing is known of {', '.join(MEASURES)} yet",)]
