"""Bytes at a place: what an archive is read from, be it a file, a stored object, or what a packed stream unpacks to."""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sightline.core.errors import InputError


class Bytes(Protocol):
    """So many bytes under a name, any of which can be asked for; threads may ask at once."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    def at(self, start: int, length: int) -> bytes: ...  # fewer only where the end comes first
    def release(self) -> None: ...  # let go of what is open, while nobody reads; the next who asks opens it again


class FileBytes:
    """The bytes of a regular file, open until it is released or nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self._state: os.stat_result | None = None
        self._state = self._open()
        self.size = self._state.st_size
        if not self.size:
            self.release()
            raise InputError("empty", f"{path}: the file holds no bytes.")

    def _open(self) -> os.stat_result:
        try:
            handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not block
        except (OSError, ValueError) as error:
            raise InputError("missing", f"{self.path}: {getattr(error, 'strerror', None) or error}.") from error
        self._close, self._handle = weakref.finalize(self, os.close, handle), handle
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            self.release()
            what = "folder" if stat.S_ISDIR(found.st_mode) else "device"
            raise InputError("missing", f"{self.path}: a {what}, not a file.")
        if self._state is not None and _state(found) != _state(self._state):
            self.release()
            raise InputError("corrupt", f"{self.path}: has changed since it was opened. Open it again.")
        return found

    def at(self, start: int, length: int) -> bytes:
        if self._handle < 0:
            self._open()
        try:
            return os.pread(self._handle, length, start)
        except OSError as error:
            raise InputError("missing", f"{self.path}: {error.strerror or error}.") from error

    def release(self) -> None:
        self._close()
        self._handle = -1

    def __reduce__(self) -> tuple[Any, ...]:
        return FileBytes, (self.path,)  # another process opens it for itself


def _state(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class FetchedBytes:
    """Bytes that are fetched from elsewhere, a stretch at a time, and of which the last stretch is kept."""

    STRETCH = 2**20

    def __init__(self, name: str, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self.name, self.size, self._fetch = name, size, fetch
        self._held: tuple[int, bytes] = (0, b"")

    def at(self, start: int, length: int) -> bytes:
        begin, held = self._held
        if begin <= start and start + length <= begin + len(held):
            return held[start - begin : start - begin + length]
        stop = min(self.size, start + max(length, self.STRETCH))
        held = self._fetch(start, stop) if start < stop else b""
        if length < self.STRETCH:
            self._held = (start, held)
        return held[:length]

    def release(self) -> None:
        self._held = (0, b"")


class Walk:
    """Reads forward through bytes in large pieces, skipping what is not asked for."""

    def __init__(self, source: Bytes, piece: int = 2**18) -> None:
        self.source, self.piece = source, piece
        self.place, self._start, self._held = 0, 0, b""

    def read(self, length: int) -> bytes:
        """The next bytes; fewer only at the end."""
        offset = self.place - self._start
        if offset < 0 or offset + length > len(self._held):
            self._start, offset = self.place, 0
            self._held = self.source.at(self.place, max(length, self.piece))
        found = self._held[offset : offset + length]
        self.place += len(found)
        return found
