"""How a service is run: how many at a time, how long anybody waits, what a model may cost, who stands in for it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline.core.errors import SettingsError
from sightline.core.limits import LIMITS, Limits
from sightline.predicting.model import check_backend


@dataclass(frozen=True)
class Settings:
    """The defaults suit one machine that does nothing else."""

    workers: int = 0  # processes that compute at a time; 0: one a core
    ahead: int = 1  # groups that lie with a busy worker already, so that it never waits for the next
    wait: float = 2.0  # seconds in the queue that nobody is asked to exceed, whatever the deadline
    batch: int = 16  # the largest group; made only of a size that was measured to pay
    limits: Limits = LIMITS  # of one picture
    backend: str = "auto"  # a runtime's name, or fastest: measured once for a version, on this machine
    allow: float | None = None  # how far answers may be from a version's golden ones; lower precisions need it
    seconds: float = 30.0  # that one group may be computed for
    start: float = 60.0  # seconds in which a version is loaded, verified and warm
    slow: float = 10.0  # seconds that one golden answer may take
    poll: float = 0.5  # seconds between looks at what has changed
    memory: int = 0  # bytes of answers that are kept; 0: none
    sessions: int = 0  # versions that are held ready at a time; 0: no limit
    idle: float = 300.0  # seconds that a version stays which somebody asked for by name
    crashes: int = 5  # workers that die within `window` before the service says that it is not ready
    window: float = 60.0
    forget: float = 3600.0  # seconds that a picture which killed workers is refused for
    failures: int = 5  # in a row, after which a version is let alone
    rest: float = 5.0  # seconds until it is tried again
    fallback: Mapping[str, str] = field(default_factory=dict)  # model -> the model that answers where it cannot
    chains: Mapping[str, str] = field(default_factory=dict)  # name -> steps, filters and models with bars between

    def __post_init__(self) -> None:
        check_backend(self.backend)
        if self.allow is not None and not 0 <= self.allow < math.inf:
            raise SettingsError(f"allow = {self.allow}: must be a distance of answers, 0 or more.")

    @property
    def hands(self) -> int:
        """Workers a model."""
        return self.workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else self.workers or 2
