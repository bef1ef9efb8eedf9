"""Memory for batches, used again and written in place: fresh pages cost more to touch than old ones to fill."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sightline.core.inputs import InputSpec, normalised
from sightline.core.task import Arrays

SMALLEST = 2**20  # bytes; less is not worth keeping


@dataclass(slots=True)
class Buffers:
    """Blocks of bytes; one is free when nothing else refers to it, as every view and tensor of it does."""

    most: int = 8
    blocks: list[np.ndarray] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def joined(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        """The rows of all pieces one after another."""
        if len(pieces) == 1:
            return pieces[0]
        shape = (sum(map(len, pieces)), *pieces[0].shape[1:])
        return np.concatenate(pieces, out=self.empty(shape, pieces[0].dtype))

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array whose content is whatever was there."""
        size = int(np.prod(shape)) * dtype.itemsize
        if size < SMALLEST:
            return np.empty(shape, dtype)
        with self.lock:
            block = self._free(size)
            if block is None:
                block = np.empty(size, np.uint8)
                self.blocks = [*self.blocks, block][-self.most :]
            return block[:size].view(dtype).reshape(shape)

    def _free(self, size: int) -> np.ndarray | None:
        """A block of about this size that is in nobody's hands."""
        for place in range(len(self.blocks)):
            # the list and the argument of getrefcount
            if size <= self.blocks[place].nbytes <= 2 * size and sys.getrefcount(self.blocks[place]) == 2:
                return self.blocks[place]
        return None


class Rows:
    """The inputs of a batch in the making: a row a picture, each written where it belongs by whoever makes it."""

    def __init__(self, buffers: Buffers, specs: Mapping[str, InputSpec], count: int, *, floats: bool) -> None:
        self.buffers, self.specs, self.count, self.floats = buffers, specs, count, floats
        self.arrays: Arrays = {}
        self.lock = threading.Lock()

    def put(self, place: int, made: Arrays) -> bool:
        """Write the inputs of one picture; False where they are not one row of what was announced."""
        if not self.arrays:
            self._open()
        if made.keys() != self.specs.keys() or any(len(array) != 1 for array in made.values()):
            return False
        for name, spec in self.specs.items():
            row, array = self.arrays[name][place], made[name][0]
            if array.shape != row.shape or array.dtype != spec.dtype:
                return False
            if self.floats:
                normalised(array[None], spec, row[None])
            else:
                row[...] = array
        return True

    def part(self, first: int, count: int) -> Arrays:
        """So many rows from one on."""
        return {name: array[first : first + count] for name, array in self.arrays.items()}

    def packed(self, spans: Iterable[tuple[int, int]]) -> Arrays:
        """The rows of all spans (first, count) one after another, those behind a gap moved up."""
        end = 0
        for first, count in spans:
            if first != end:
                for array in self.arrays.values():
                    array[end : end + count] = array[first : first + count]
            end += count
        return self.part(0, end)

    def _open(self) -> None:
        with self.lock:
            if not self.arrays:
                made = {}
                for name, spec in self.specs.items():
                    kind = np.dtype(np.float32 if self.floats else spec.dtype)
                    made[name] = self.buffers.empty((self.count, *spec.size, spec.channels), kind)
                self.arrays = made
