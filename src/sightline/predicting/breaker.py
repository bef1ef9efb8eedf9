"""Who fails again and again, or asks for a pause, is let alone for a while, then tried with one question."""

from __future__ import annotations

import time


class Breaker:
    """Closed: asked. Open: not asked. Half open: one question decides."""

    def __init__(self, failures: int, rest: float) -> None:
        self._most, self._rest = failures, rest
        self.failures, self._until, self._trying = 0, 0.0, False

    @property
    def state(self) -> str:
        """closed, open or half open."""
        if self.failures < self._most:
            return "closed"
        return "open" if time.monotonic() < self._until else "half open"

    def allows(self) -> bool:
        """Whether the next question may go to it."""
        if self.failures < self._most:
            return True
        if time.monotonic() < self._until or self._trying:
            return False
        self._trying = True
        return True

    def good(self) -> None:
        """It answered."""
        self.failures, self._trying = 0, False

    def bad(self) -> None:
        """It failed at its own fault."""
        self.failures += 1
        self._trying = False
        if self.failures >= self._most:
            self._until = time.monotonic() + self._rest

    def later(self, seconds: float) -> None:
        """It asked not to be asked for so long."""
        self.failures, self._trying = max(self.failures, self._most), False
        self._until = time.monotonic() + seconds

    def neither(self) -> None:
        """What was tried says nothing of it: a bad picture, a caller who left."""
        self._trying = False

    @property
    def wait(self) -> float:
        """Seconds until it is tried again."""
        return max(0.0, self._until - time.monotonic())
