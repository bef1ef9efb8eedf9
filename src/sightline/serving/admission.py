"""Who is let in: those who can be answered in time, by an estimate that learns from its own mistakes."""

from __future__ import annotations

from sightline.core.errors import ServingError

LEAST, MOST = 1.2, 3.0  # how many times what is expected must be left
UP, DOWN = 1.05, 0.999  # per answer that came too late, and per answer in time: about one in fifty may


class Admission:
    """A bound in seconds, for all, and the deadline of each."""

    def __init__(self, wait: float) -> None:
        self.wait, self.caution = wait, LEAST

    def admit(self, wait: float, each: float, left: float) -> None:
        """Refuse who would wait too long: `wait` seconds of work lie before it, `each` is its own, `left` its time."""
        most = min(self.wait, left / self.caution - each)
        if wait > most:
            again = wait - most if most > 0 else wait
            raise ServingError(
                "queue_full", f"more is asked than can be answered: about {wait:.2f} s of work wait already.",
                retry_after=round(max(0.05, again), 3),
            )  # fmt: skip

    def kept(self) -> None:
        """Somebody was answered in time."""
        if self.caution > LEAST:
            self.caution = max(LEAST, self.caution * DOWN)

    def missed(self) -> None:
        """Somebody who was let in, and had to wait, was not."""
        self.caution = min(MOST, self.caution * UP)
