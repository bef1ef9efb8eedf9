"""Memory for batches that is used again: fresh pages cost more to touch than old ones to fill."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

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
