"""Pictures that killed workers: known by their hash, refused for a while, forgiven when one of them is answered."""

from __future__ import annotations

import time
from typing import Any

from sightline.core.errors import InputError
from sightline.core.files import digest

KNOWN = 10_000  # pictures that are remembered
TWICE = 2


class Strikes:
    """How often each picture has killed, within the time that is remembered."""

    def __init__(self, forget: float) -> None:
        self.forget = forget
        self._rows: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def refuse(self, data: Any) -> None:
        """An `InputError` for a picture that has killed twice; costs nothing where there is none."""
        if not self._rows:
            return
        now = time.monotonic()
        self._rows = {key: row for key, row in self._rows.items() if now - row[1] < self.forget}
        count = self._rows.get(self._key(data), (0, 0.0))[0] if self._rows else 0
        if count >= TWICE:
            raise InputError("refused", f"picture: it killed {count} workers; it is tried again later.")

    def add(self, data: Any, count: int = 1) -> None:
        """It has killed again."""
        key = self._key(data)
        self._rows[key] = (self._rows.pop(key, (0, 0.0))[0] + count, time.monotonic())
        while len(self._rows) > KNOWN:
            self._rows.pop(next(iter(self._rows)))

    def forgive(self, data: Any) -> None:
        """It was answered: something else killed the worker that had it."""
        if self._rows:
            self._rows.pop(self._key(data), None)

    def _key(self, data: Any) -> str:
        return digest(data if isinstance(data, bytes) else bytes(data))
