"""How much one caller may ask: so many requests a second, and in a crowd no more than twice a fair share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sightline.core.errors import ServingError

_FORGET = 1.0  # seconds after which a caller who asks nothing no longer counts
_MOST = 10_000  # callers that are remembered


@dataclass(slots=True)
class _Caller:
    tokens: float
    at: float  # when the bucket was last filled
    inside: int = 0  # requests in hand
    seen: float = 0.0


class Rates:
    """A bucket for each caller, filled steadily; and a count of what each has in hand."""

    def __init__(self, rate: float, burst: int, crowd: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.crowd, self.clock = rate, crowd, clock
        self.burst = burst or max(1, round(2 * rate))
        self.inside = 0
        self._callers: dict[str, _Caller] = {}
        self._active, self._counted = 1, -1.0

    def enter(self, name: str) -> None:
        """Let a request in, to be followed by `leave`; or 429 with the seconds to wait."""
        now = self.clock()
        caller = self._callers.get(name)
        if caller is None:
            if len(self._callers) >= _MOST:
                self._forget(now)
            caller = self._callers[name] = _Caller(float(self.burst), now)
        caller.seen = now
        if self.rate:
            caller.tokens = min(self.burst, caller.tokens + (now - caller.at) * self.rate)
            caller.at = now
            if caller.tokens < 1:
                wait = (1 - caller.tokens) / self.rate
                raise ServingError("rate", f"More than {self.rate:g} requests a second.", retry_after=wait)
        if self.inside >= self.crowd and caller.inside + 1 > 2 * (self.inside + 1) / self._crowded(now):
            raise ServingError("rate", "Others are waiting, and this caller has its share in hand.", retry_after=0.1)
        if self.rate:
            caller.tokens -= 1
        caller.inside += 1
        self.inside += 1

    def leave(self, name: str) -> None:
        """The request is done."""
        self.inside -= 1
        caller = self._callers.get(name)
        if caller is not None:
            caller.inside -= 1

    def told(self, name: str) -> list[tuple[bytes, bytes]]:
        """Headers that say what is left of the bucket; none where there is no limit."""
        caller = self._callers.get(name)
        if not self.rate or caller is None:
            return []
        until = (self.burst - caller.tokens) / self.rate
        return [
            (b"ratelimit-policy", b'"token";q=%d;w=%d' % (self.burst, max(1, round(self.burst / self.rate)))),
            (b"ratelimit", b'"token";r=%d;t=%d' % (max(0, int(caller.tokens)), max(0, round(until)))),
        ]

    def _crowded(self, now: float) -> int:
        """How many callers ask at present; counted ten times a second at most."""
        if now - self._counted > 0.1:
            self._active = max(1, sum(one.inside > 0 or now - one.seen < _FORGET for one in self._callers.values()))
            self._counted = now
        return self._active

    def _forget(self, now: float) -> None:
        """Drop those whose bucket is full and who have nothing in hand."""
        full = self.burst / self.rate if self.rate else _FORGET
        for name in [name for name, one in self._callers.items() if not one.inside and now - one.seen > full]:
            del self._callers[name]
