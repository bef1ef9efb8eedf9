"""Answers that were given, kept for whoever asks the same of the same bytes; the least recently wanted leave first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np

from sightline.core.annotations import to_columns
from sightline.core.files import canonical, digest
from sightline.serving.asking import Ask
from sightline.serving.item import Made

_ENTRY = 1000  # bytes that an answer takes besides its columns


class Memory:
    """A bounded number of bytes of answers."""

    def __init__(self, most: int) -> None:
        self.most, self.held, self.hits, self.misses = most, 0, 0, 0
        self._rows: OrderedDict[Hashable, tuple[Made, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, ask: Ask, seal: str) -> Hashable:
        """What an answer depends on: the bytes, the version, and all that was asked of it."""
        data = ask.data
        seen = digest(np.ascontiguousarray(data).tobytes() if isinstance(data, np.ndarray) else data)
        form = (data.dtype.str, data.shape) if isinstance(data, np.ndarray) else ()
        given = canonical(dict(ask.given)) if ask.given else b""
        return seal, seen, form, ask.seed, ask.level, ask.least, given

    def get(self, key: Hashable) -> Made | None:
        """The answer, where it is known."""
        row = self._rows.get(key)
        if row is None:
            self.misses += 1
            return None
        self.hits += 1
        self._rows.move_to_end(key)
        return row[0]

    def put(self, key: Hashable, made: Made) -> None:
        """Keep an answer, and let others go where there is no room."""
        size = _ENTRY + sum(array.nbytes for name, array in to_columns(made.answer).items() if name != "names")
        if size > self.most // 4 or key in self._rows:
            return
        self._rows[key] = made, size
        self.held += size
        while self.held > self.most:
            _, (_, freed) = self._rows.popitem(last=False)
            self.held -= freed
