"""One question on its way: who waits for it, until when, and how often a worker has died with it."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.decisions import Decision
from sightline.core.errors import ServingError
from sightline.serving.asking import Ask
from sightline.serving.wire import flat

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What a worker answered, and the seconds it took."""

    answer: Annotation
    decision: Decision | None
    queue: float
    decode: float
    compute: float


class Item:
    """A question and the future of its answer."""

    __slots__ = ("alone", "arrived", "ask", "body", "deaths", "future", "line", "number", "sent", "timer")

    def __init__(self, ask: Ask, loop: asyncio.AbstractEventLoop) -> None:
        self.number, self.ask = next(_numbers), ask
        self.future: asyncio.Future[Made] = loop.create_future()
        self.arrived, self.sent = time.monotonic(), 0.0
        self.deaths, self.alone = 0, False
        data = ask.data
        self.line: dict[str, Any] = {
            "id": self.number, "given": dict(ask.given), "least": ask.least, "level": ask.level,
        }  # fmt: skip
        if isinstance(data, np.ndarray):
            self.body: Any = flat(data)
            self.line |= {"dtype": data.dtype.str, "shape": data.shape}
        else:
            self.body = data
        self.line["size"] = len(self.body)
        self.timer: asyncio.TimerHandle | None = None
        if ask.deadline != math.inf:
            self.timer = loop.call_later(max(0.0, ask.deadline - self.arrived), self._late)

    @property
    def open(self) -> bool:
        """Whether somebody still waits for it."""
        return not self.future.done()

    def _late(self) -> None:
        self.fail(ServingError("deadline", "the time that the request gave is over."))

    def fail(self, error: Exception) -> None:
        """Tell whoever waits."""
        if not self.future.done():
            self.future.set_exception(error)
        self.settle()

    def settle(self) -> None:
        """Nobody waits any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
