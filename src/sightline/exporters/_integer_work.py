"""The one piece of memory that a network of integers works in, piece by piece, and look-ups in tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sightline.exporters._integer_program import KINDS, Program

Place = tuple[slice, ...]
INDEX = 8  # bytes of a place in a table


class Work:
    """One arena with all tensors at their places, and the scratch behind it; for one thread."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.memory = np.zeros(program.arena + program.scratch, np.uint8)
        self.tensors = [self._view(one.at, KINDS[one.kind], one.shape) for one in program.tensors]
        self.used = program.arena

    def _view(self, at: int, kind: Any, shape: Sequence[int]) -> np.ndarray:
        size = math.prod(shape) * np.dtype(kind).itemsize
        return np.asarray(self.memory[at : at + size].view(kind).reshape(shape))

    def room(self, kind: Any, shape: Sequence[int]) -> np.ndarray:
        """Scratch for numbers, free again when the next block begins."""
        made = self._view(self.used, kind, shape)
        self.used += -(-made.nbytes // 8) * 8
        return made

    def begin(self) -> None:
        """All scratch is free."""
        self.used = -(-self.program.arena // 8) * 8


def blocks(shape: Sequence[int], most: int) -> Iterator[Place]:
    """The whole of a shape in pieces of at most so many numbers (one at least), in order."""
    inner, axis = 1, len(shape)
    while axis and inner * shape[axis - 1] <= most:
        axis -= 1
        inner *= shape[axis]
    if axis == 0:
        yield tuple(slice(0, side) for side in shape)
        return
    piece = max(1, most // inner)
    tail = tuple(slice(0, side) for side in shape[axis:])
    for lead in np.ndindex(*shape[: axis - 1]):
        for start in range(0, shape[axis - 1], piece):
            head = tuple(slice(place, place + 1) for place in lead)
            yield (*head, slice(start, min(start + piece, shape[axis - 1])), *tail)


def shared(place: Place, shape: Sequence[int]) -> Place:
    """The same piece of a tensor whose single sides stand for all."""
    own = place[len(place) - len(shape) :]
    return tuple(slice(0, 1) if side == 1 else part for part, side in zip(own, shape, strict=True))


def look(work: Work, codes: np.ndarray, table: Any, axis: int, start: int, out: np.ndarray) -> np.ndarray:
    """Every code's entry in the table, or in that of its channel from `start` on; without a table the code itself."""
    if table is None:
        np.copyto(out, codes)
        return out
    place = work.room(np.int64, codes.shape)
    np.copyto(place, codes)
    if len(table) > 1:
        sides = [-1 if one == axis else 1 for one in range(codes.ndim)]
        first = np.arange(start, start + codes.shape[axis]) * table.shape[1]
        place += first.reshape(sides)
    return np.take(table.reshape(-1), place, out=out, mode="clip")
