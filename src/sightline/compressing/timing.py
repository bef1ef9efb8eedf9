"""How long forms take for one picture, side by side: processor time of one thread, so that neighbours do not count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

from sightline.compressing.subject import Subject
from sightline.core.task import Arrays

TURNS, PICTURES = 7, 24


def latencies(subject: Subject, graphs: Mapping[str, bytes], *, turns: int = TURNS) -> dict[str, float]:
    """Milliseconds a picture of each graph, in turns, the first of which warms up; real pictures, one at a time."""
    ones = _single(subject.fed(), PICTURES)
    passes = {name: subject.load(graph, name, 1) for name, graph in graphs.items()}
    taken: dict[str, list[float]] = {name: [] for name in graphs}
    for turn in range(turns):
        for name, run in passes.items():
            start = time.thread_time()
            for arrays in ones:
                run(arrays)
            if turn:
                taken[name].append(1000 * (time.thread_time() - start) / len(ones))
    return {name: statistics.median(each) for name, each in taken.items()}


def _single(fed: Sequence[Arrays], most: int) -> list[Arrays]:
    """Inputs of one picture each."""
    found: list[Arrays] = []
    for arrays in fed:
        rows = len(next(iter(arrays.values())))
        found += [{name: array[row : row + 1] for name, array in arrays.items()} for row in range(rows)]
        if len(found) >= most:
            break
    return found[:most]
