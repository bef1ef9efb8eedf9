"""How many threads libraries take for themselves, and what is worth a thread of ours."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TypeVar

SHORT = 4e-4  # seconds: work that is done sooner than it is handed to another thread, which then waits for this one
_TOGETHER, _TRIED = 256, 5  # items, and how many of them say how long each takes

Item = TypeVar("Item")
Made = TypeVar("Made")


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV computes in the thread that calls it, so that pictures side by side do not get in each other's way."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def shared(pool: Executor, work: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made]:
    """What `work` makes of each item, in order: by the pool where it takes long, else here."""
    for begin in range(0, len(items), _TOGETHER):
        taken = []
        for item in items[begin : begin + _TRIED]:
            start = time.perf_counter()
            made = work(item)
            taken.append(time.perf_counter() - start)
            yield made
        rest = items[begin + _TRIED : begin + _TOGETHER]
        yield from map(work, rest) if statistics.median(taken) < SHORT else pool.map(work, rest)
