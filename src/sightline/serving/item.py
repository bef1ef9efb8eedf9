"""One question on its way: who waits for it, until when, and how often a worker has died with it."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.decisions import Decision
from sightline.core.errors import InputError, ServingError
from sightline.core.image import tidy
from sightline.serving.asking import Ask
from sightline.serving.wire import encoded, flat

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What a worker answered, and the seconds it took."""

    answer: Any  # an annotation; of a stage of a chain what it carries on
    decision: Decision | None
    queue: float
    decode: float
    compute: float


class Item:
    """A question and the future of its answer."""

    __slots__ = ("alone", "arrived", "ask", "body", "deaths", "future", "home", "line", "number", "sent", "timer")

    def __init__(self, ask: Ask, loop: asyncio.AbstractEventLoop, carried: tuple[Any, list[Any]] | None = None) -> None:
        self.number, self.ask = next(_numbers), ask
        self.future: asyncio.Future[Made] = loop.create_future()
        self.arrived, self.sent = time.monotonic(), 0.0
        self.deaths, self.alone = 0, False
        self.home: Any = None  # the crew in whose queue it waits
        data = ask.data
        line: dict[str, Any] = {}
        if carried is not None:
            line["carried"], bodies = carried
            self.body: Any = bodies[0] if len(bodies) == 1 else b"".join(bodies)
        elif isinstance(data, np.ndarray):
            data = tidy(data)
            self.body = flat(data)
            line |= {"dtype": data.dtype.str, "shape": data.shape}
        else:
            self.body = data
        if ask.given:
            line["given"] = dict(ask.given)
        if ask.least is not None or ask.level is not None:
            line |= {"least": ask.least, "level": ask.level}
        try:
            more = encoded(line)[1:-1] if line else ""
        except (TypeError, ValueError) as error:
            raise InputError("label", f"what is given with the picture is not plain JSON: {error}.") from error
        self.line = f'{{"id":{self.number},"size":{len(self.body)}{"," if more else ""}{more}}}'
        self.timer: asyncio.TimerHandle | None = None
        if ask.deadline != math.inf:
            self.timer = loop.call_later(max(0.0, ask.deadline - self.arrived), self._late)

    @property
    def open(self) -> bool:
        """Whether somebody still waits for it."""
        return not self.future.done()

    def leave(self) -> None:
        """It is no longer counted among those that wait."""
        if self.home is not None:
            self.home.waiting -= 1
            self.home = None

    def _late(self) -> None:
        self.fail(ServingError("deadline", "the time that the request gave is over."))

    def fail(self, error: Exception) -> None:
        """Tell whoever waits."""
        if not self.future.done():
            self.future.set_exception(error)
        self.settle()

    def settle(self) -> None:
        """Nobody waits any more; its place in the queue is free at once."""
        self.leave()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
