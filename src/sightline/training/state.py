"""Where a run stands: everything but tensors, as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sightline.core.files import canonical


@dataclass(slots=True)
class State:
    """Moves forward one step at a time; equal states with equal tensors have equal futures."""

    phase: int = 0  # an extension is a phase of its own
    epoch: int = 0  # of the phase
    place: int = 0  # batches of the epoch that are done
    step: int = 0  # of the run
    sums: dict[str, float] = field(default_factory=dict)  # of the epoch's losses, by part
    seen: int = 0  # steps in those sums
    history: list[dict[str, Any]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # sample id -> why
    best: float | None = None
    best_epoch: int = 0
    lower: bool = False  # whether less is better in the first metric
    waited: int = 0  # epochs of the phase since the best one
    paced: list[list[float]] = field(default_factory=list)  # step, phase, and its epochs as planned anew there
    restored: int = -1  # the step after which the last good state was restored once

    resting: str = ""  # hash of the file of what never changes, where something is frozen

    @property
    def epochs(self) -> int:
        """Epochs of the run that are done, over all phases."""
        return len(self.history)

    def length(self, phases: Sequence[float]) -> float:
        """Epochs of this phase: as planned at first, or as last planned anew."""
        mine = [epochs for _, phase, epochs in self.paced[-1:] if phase == self.phase]
        return mine[0] if mine else phases[self.phase]

    def more(self, phases: Sequence[float]) -> bool:
        """Whether another epoch of this phase follows the one that stands."""
        return self.epoch + 1 < self.length(phases)

    def onward(self, phases: Sequence[float]) -> tuple[int, int]:
        """Phase and epoch after this one; a new phase waits anew."""
        if self.more(phases):
            return self.phase, self.epoch + 1
        self.waited = 0
        return self.phase + 1, 0

    def progress(self, phases: Sequence[float], size: int) -> float:
        """How much of the phase is done, where an epoch has `size` batches."""
        return (self.epoch + self.place / size) / self.length(phases)

    def end(self, phases: Sequence[float], size: int) -> int:
        """Batches of this epoch that belong to the phase."""
        return min(size, math.ceil(size * (self.length(phases) - self.epoch) - 1e-6))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def level(score: float, best: float | None, count: int) -> bool:
    """Whether a share of so many is as good as the best one, within chance.

    A run that always goes to its end keeps its last epoch then: the most of many looks is chance in part, and a rate
    that has fallen to its end is not.
    """
    return best is not None and 0 < best < 1 and abs(score - best) <= math.sqrt(best * (1 - best) / max(1, count))


def canonical_line(row: dict[str, Any]) -> bytes:
    """A row of metrics.jsonl: canonical JSON on one line."""
    return b" ".join(part.strip() for part in canonical(row).splitlines()) + b"\n"
