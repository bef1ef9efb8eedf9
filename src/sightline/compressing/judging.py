"""What a form lost against its parent on the same pictures, and whether the interval can say that it is little."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from sightline.compressing.subject import Subject
from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.calibration import NOTHING, Calibration
from sightline.core.progress import Event, Tell, silent
from sightline.core.tally import SHARE, Tally
from sightline.core.task import Run as Pass
from sightline.evaluating.comparing import compare
from sightline.evaluating.evaluate import gathered
from sightline.evaluating.intervals import interval

NORMAL = 1.96  # of a 95 % interval
WITHIN, BEYOND, UNKNOWN = "within", "beyond", "cannot tell"


@dataclass(frozen=True, slots=True)
class Loss:
    """The first metric of a form, and its paired drop against the parent in points; less than zero is a gain."""

    metric: str
    value: float
    low: float
    high: float
    parent: float
    drop: float
    least: float  # ends of the 95 % interval of the drop
    most: float
    count: int
    allowed: float

    @property
    def verdict(self) -> str:
        """Whether the drop is as small as allowed: said only where the whole interval says so."""
        if self.most <= self.allowed:
            return WITHIN
        return BEYOND if self.least > self.allowed else UNKNOWN

    @property
    def needed(self) -> int | None:
        """Pictures by which the interval would shrink into what is allowed; None where that is not the trouble."""
        room, reach = self.allowed - self.drop, self.most - self.drop
        if self.verdict != UNKNOWN or room <= 0 or not math.isfinite(reach):
            return None
        return math.ceil(self.count * (reach / room) ** 2)

    @property
    def line(self) -> str:
        """The verdict for people."""
        said = f"drop {self.drop:+.2f} points ({self.least:+.2f} to {self.most:+.2f}, {self.count:,} pictures)"
        if self.verdict == WITHIN:
            return f"within {self.allowed:g}: {said}"
        if self.verdict == BEYOND:
            return f"NOT within {self.allowed:g}: {said}"
        if self.needed is None:
            return f"cannot be called within {self.allowed:g}: {said}"
        return f"cannot be called within {self.allowed:g}: {said}; about {self.needed:,} pictures could tell"

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Loss:
        """What `to_json` wrote."""
        held = ((field.name, plain[field.name]) for field in fields(cls))
        known: dict[str, Any] = {name: math.nan if value is None else value for name, value in held}
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is not a finite number is null."""
        plain = {**asdict(self), "verdict": self.verdict, "needed": self.needed}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in plain.items()}


@dataclass(frozen=True, eq=False)
class Judge:
    """One side of the data, and what the parent answers there."""

    subject: Subject
    side: str
    allowed: float
    truths: Sequence[Annotation]
    wanted: Sequence[Annotation]

    def loss(self, given: Sequence[Annotation]) -> Loss:
        """What these answers lost against the parent's."""
        return lost(self.subject.task.metrics[0], self.truths, given, self.wanted, self.allowed)

    def of(self, graph: bytes) -> Loss:
        """What a graph lost."""
        return self.loss(asked(self.subject, self.subject.load(graph), self.side)[1])


def judge(subject: Subject, side: str, allowed: float, tell: Tell = silent) -> Judge:
    """Ask the parent, once for each side and allowance."""
    key = f"judge {side} {allowed}"
    if key in subject.memory:
        known: Judge = subject.memory[key]
        return known
    tell(Event("note", f"asking the parent about the side '{side}'"))
    truths, wanted = asked(subject, subject.load(subject.graph), side, tell=tell)
    made = Judge(subject, side, allowed, truths, wanted)
    subject.memory[key] = made
    return made


def asked(
    subject: Subject, passes: Pass, side: str, calibration: Calibration = NOTHING, tell: Tell = silent
) -> tuple[list[Annotation], list[Annotation]]:
    """Truths and answers on one side of the data, in its order."""
    held = subject.parted.side(side)
    found = gathered(subject.task, passes, held, subject.facts, subject.seed, calibration, tell)
    return found[1], found[3]


def lost(
    metric: str, truths: Sequence[Annotation], given: Sequence[Annotation], wanted: Sequence[Annotation], allowed: float
) -> Loss:
    """The paired drop in points: hundredths where the metric is a share, else in its own unit."""
    measure = catalog.find("metrics", metric)
    mine: Tally = measure(truths, given)
    theirs: Tally = measure(truths, wanted)
    apart, reach = compare(mine, theirs), interval(mine)
    scale = (100.0 if mine.limits == SHARE else 1.0) * (-1 if mine.better == "higher" else 1)
    least, most = sorted(scale * end for end in _ends(mine, theirs, (apart.low, apart.high)))
    drop = scale * apart.difference + 0.0  # not minus nothing
    if not math.isfinite(drop):
        drop = least = most = math.inf  # no number at all is the greatest loss
    return Loss(metric, mine.value, reach.low, reach.high, theirs.value, drop, least, most, len(mine), allowed)


def _ends(mine: Tally, theirs: Tally, drawn: tuple[float, float]) -> tuple[float, float]:
    """The interval of the difference, never narrower than so many pictures can make it.

    Drawing again from pictures that both answer alike finds no difference at all; half a picture in each of the four
    cells tells how many might differ all the same (Agresti and Min 2005).
    """
    if mine.limits != SHARE or mine.groups is not None:
        return drawn
    first, second = (tally.rows.reshape(len(tally), -1) for tally in (mine, theirs))
    numbers = first.dtype != object and first.shape == second.shape and first.shape[1] == 1
    if not numbers or not np.isin(first, (0.0, 1.0)).all() or not np.isin(second, (0.0, 1.0)).all():
        least = 3 / max(1, len(mine))  # what never happened in n pictures happens in 3 / n of them at most
        middle = (drawn[0] + drawn[1]) / 2
        return (middle - least, middle + least) if drawn[0] == drawn[1] else drawn
    won, gone = float(((first == 1) & (second == 0)).sum()) + 0.5, float(((first == 0) & (second == 1)).sum()) + 0.5
    count = len(mine) + 2
    middle, spread = (won - gone) / count, math.sqrt(won + gone - (won - gone) ** 2 / count) / count
    return min(drawn[0], middle - NORMAL * spread), max(drawn[1], middle + NORMAL * spread)
