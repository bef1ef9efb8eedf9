"""A leaderboard of cheap learners, the one to take, and why in words."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SOLVED = 0.98  # a score that leaves little to a network
FEW = 20  # pictures a name below which a network seldom does more than learn them by heart
ENOUGH = 100  # pictures a name from which it usually overtakes: rules of thumb, see docs/classical.md


@dataclass(frozen=True)
class Rung:
    """One learner: how good on pictures it had not seen, how long it learns, how long one picture takes."""

    model: str
    value: float
    low: float
    high: float
    fit_seconds: float
    milliseconds: float  # a picture, from its file to its answer
    apart: str = ""  # from the best: "best", "cannot tell", "worse", or "better" but too slow


@dataclass(frozen=True)
class Advice:
    """What was measured, on how many pictures, and what follows."""

    task: str
    metric: str
    count: int  # pictures that were looked at
    names: int
    rungs: tuple[Rung, ...]  # the best first
    floor: Rung  # what learns nothing
    left_out: tuple[str, ...]  # for want of time
    take: str
    words: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def words(
    take: Rung, rungs: Sequence[Rung], floor: Rung, metric: str, each: Mapping[str, int], slow: float | None
) -> tuple[str, ...]:
    """Which to take, what is as good, and whether a network is worth it; `each` counts the pictures of every name."""
    good = f"{metric} {take.value:.3f} ({take.low:.3f} to {take.high:.3f})"
    said = [f"Take {take.model}: {good}, learnt in {take.fit_seconds:.1f} s, {take.milliseconds:.1f} ms a picture."]
    alike = [rung.model for rung in rungs if rung.apart == "cannot tell" and rung.model != take.model]
    if alike:
        said.append(f"On these pictures {_listed(alike)} cannot be told from it.")
    better = [rung.model for rung in rungs if rung.apart == "better"]
    if slow is not None and better:
        said.append(f"{_listed(better)} would be better, but takes more than {slow:g} ms a picture.")
    if slow is not None and take.milliseconds > slow:
        said.append(f"None answers in {slow:g} ms; this is the best of all.")
    if floor.apart != "worse":
        said.append(
            f"It is not surely better than always saying the most frequent name ({floor.value:.3f}): "
            "look at the labels first (sightline audit), or give more pictures."
        )
    said.append(_network(take, int(statistics.median(each.values()))))
    return tuple(said)


def _network(take: Rung, usual: int) -> str:
    """The rule, on top of what was measured."""
    if take.value >= SOLVED:
        return "There is little left that a network could win."
    if usual < FEW:
        return (
            f"With {usual} pictures a name a network would rather learn them by heart. Collect more, or stand on "
            "a network that is trained already: --set task.features=bundle:ITS-RUN."
        )
    if usual < ENOUGH:
        return f"With {usual} pictures a name a network may be better or worse: train one and compare."
    return f"With {usual} pictures a name a network is worth its time; it has {take.value:.3f} to beat."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
