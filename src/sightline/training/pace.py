"""Keeping to a time: what was spent, over every start of a run, and how many epochs what is left is good for.

The schedule of a run is laid out over the epochs that its plan hopes for. When steps turn out slower or faster, the
plan is shortened or lengthened while the run goes on, so that the rate still falls to its end at the time that was
agreed. Every such change is noted with its step, and a run that follows the notes has the same weights to the last bit.
"""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sightline.core.files import canonical, write_durably

STEADY = 0.01  # a plan is left alone while it is off by less than this part of what is left
WINDOW = 0.15  # of the time there is: the part of the past that says how fast steps are


class Watch:
    """Seconds that a run has had, written down as they pass, so that a kill forgets none but the last few."""

    def __init__(self, path: Path, begun: float, *, every: float = 2.0, clock: Callable[[], float] = time.monotonic):
        self.path, self.every, self.clock = path, every, clock
        self.before, self.begun = _read(path), begun
        self.noted = self.before

    def seconds(self) -> float:
        """All that was spent up to now; writes it down from time to time."""
        now = self.before + self.clock() - self.begun
        if now - self.noted >= self.every:
            self.note(now)
        return now

    def note(self, now: float | None = None) -> None:
        """Write down what was spent."""
        now = self.before + self.clock() - self.begun if now is None else now
        write_durably(self.path, canonical({"seconds": round(now, 3)}))
        self.noted = now


def _read(path: Path) -> float:
    """What was written down; 0 where nothing was, or nothing that can be read."""
    try:
        return float(json.loads(path.read_bytes())["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


@dataclass(slots=True)
class Pace:
    """How long a phase is, in epochs, so that it ends at `until` by its watch."""

    watch: Watch
    until: float
    most: float = math.inf  # epochs; more would bring nothing
    between: float = 0.0  # seconds from the last step of an epoch to the first of the next: validation, checkpoint
    marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=4096))  # seconds, steps they took
    last: tuple[int, int, float] | None = None  # epoch, place and time of the last question

    def length(self, epoch: int, place: int, size: int, now: float) -> float:
        """Epochs of the phase as things stand before the step at `place` of `size` in this epoch; `now` so far."""
        seconds = self.watch.seconds()
        self._learn(epoch, place, seconds)
        each = self._each()
        if each is None:
            return now
        made = self._fitting(epoch, place, size, self.until - seconds, each)
        made = min(self.most, max(made, epoch + (place + 1) / size))
        return now if abs(made - now) <= STEADY * max(0.0, now - epoch - place / size) else made

    def _learn(self, epoch: int, place: int, seconds: float) -> None:
        if self.last is not None:
            before, at, then = self.last
            if before == epoch and place > at:
                self.marks.append((seconds - then, place - at))
            elif before != epoch and (each := self._each()) is not None:
                gap = max(0.0, seconds - then - each)
                self.between = gap if not self.between else (self.between + gap) / 2
        self.last = (epoch, place, seconds)

    def _each(self) -> float | None:
        """Seconds a step: of the last part of the time, and of three steps or more."""
        total, steps, wanted = 0.0, 0, WINDOW * self.until
        for taken, count in reversed(self.marks):
            total, steps = total + taken, steps + count
            if total > wanted:
                break
        return total / steps if steps >= 3 else None

    def _fitting(self, epoch: int, place: int, size: int, left: float, each: float) -> float:
        """Epochs in all that end within `left` seconds, with a validation after every one that is begun."""
        rest = (size - place) * each + self.between
        if left < rest:
            return epoch + (place + max(0.0, (left - self.between) / each)) / size
        whole, over = divmod(left - rest, size * each + self.between)
        more = max(0.0, over - self.between) / (size * each)
        return epoch + 1 + whole + (more if more > 0.05 else 0.0)
