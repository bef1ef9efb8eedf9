"""A packed stream (gzip, xz, bzip2) read as if it were unpacked: forward, or again from a remembered place."""

from __future__ import annotations

import bz2
import lzma
import threading
import zlib
from dataclasses import dataclass
from typing import Any

from sightline.core.errors import InputError
from sightline.sources._bytes import Bytes

MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2"}
RATIO = 100  # what a stream may grow by when it is unpacked
HELD = 128 * 2**20  # bytes of an unpacked stream that are kept where no place in it can be remembered
SPACING = 8 * 2**20  # bytes between two remembered places
_PLACES = 512  # remembered places; beyond, every other one is let go
_FREE = 64 * 2**20  # bytes below which growth does not matter
_PIECE = 2**17
_WINDOW = 2**19  # bytes just read that may be asked for again


@dataclass(slots=True)
class _Flow:
    """Where unpacking stands: how far in the packed bytes, how far in the others, and the unpacker."""

    kind: str
    taken: int = 0
    given: int = 0
    ready: bytes = b""  # packed bytes that were taken and not yet unpacked
    unpacker: Any = None

    def __post_init__(self) -> None:
        self.unpacker = self.unpacker or self._fresh()

    def _fresh(self) -> Any:
        if self.kind == "gzip":
            return zlib.decompressobj(31)
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2**28) if self.kind == "xz" else bz2.BZ2Decompressor()

    def copy(self) -> _Flow:
        """The same place once more; gzip alone can do that."""
        return _Flow(self.kind, self.taken, self.given, self.ready, self.unpacker.copy())

    def step(self, source: Bytes) -> bytes:
        """The next unpacked bytes, and none at the end."""
        while True:
            if self.unpacker.eof:
                rest = self.unpacker.unused_data + (source.at(self.taken, 1) if not self.unpacker.unused_data else b"")
                if not rest.strip(b"\0"):
                    return b""
                self.ready, self.unpacker = self.unpacker.unused_data, self._fresh()  # streams may follow each other
            if not self.ready and getattr(self.unpacker, "needs_input", True):
                self.ready = source.at(self.taken, _PIECE)
                self.taken += len(self.ready)
                if not self.ready:
                    raise EOFError
            found: bytes = self.unpacker.decompress(self.ready, _PIECE)
            self.ready = self.unpacker.unconsumed_tail if self.kind == "gzip" else b""
            if found:
                self.given += len(found)
                return found


class Packed:
    """The bytes that a packed stream unpacks to; how many is known once its end was seen."""

    def __init__(self, source: Bytes, kind: str) -> None:
        self.source, self.kind, self.name = source, kind, source.name
        self.size = 2**62
        self._lock = threading.Lock()
        self._flow = _Flow(kind)
        self._window, self._begin = bytearray(), 0
        self._places: list[_Flow] = []
        self._spacing = SPACING
        self._whole: bytearray | None = None if kind == "gzip" else bytearray()

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (self.source, self.kind)

    def at(self, start: int, length: int) -> bytes:
        with self._lock:
            if self._whole is not None and start + length <= len(self._whole):
                return bytes(self._whole[start : start + length])
            place = next((place for place in reversed(self._places) if place.given <= start), None)
            if start < self._begin or (place is not None and place.given > self._flow.given):
                self._flow = place.copy() if place is not None else _Flow(self.kind)
                self._window, self._begin = bytearray(), self._flow.given
            while self._flow.given < start + length and self._step():
                self._trim(start)
            found = bytes(self._window[start - self._begin : start - self._begin + length])
            self._trim(self._flow.given)
            return found

    def release(self) -> None:
        """Let go of the packed bytes; what was kept of the others stays."""
        with self._lock:
            self.source.release()

    def finish(self) -> None:
        """Go on to the end, where the checksum of the whole stands."""
        with self._lock:
            while self._step():
                self._trim(self._flow.given)

    def _step(self) -> bool:
        try:
            found = self._flow.step(self.source)
        except EOFError as error:
            raise InputError("truncated", f"{self.name}: the {self.kind} stream ends before its data does.") from error
        except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
            raise InputError("corrupt", f"{self.name}: cannot be unpacked ({error}).") from error
        if not found:
            self.size = self._flow.given
            return False
        if self._flow.given > RATIO * self._flow.taken + _FREE:
            raise InputError("too_large", f"{self.name}: unpacks to more than {RATIO} times its size, as a bomb does.")
        self._window += found
        self._remember(found)
        return True

    def _trim(self, wanted: int) -> None:
        """Let go of what lies before both what is wanted and the window."""
        keep = min(wanted, self._flow.given - _WINDOW)
        if keep > self._begin:
            del self._window[: keep - self._begin]
            self._begin = keep

    def _remember(self, found: bytes) -> None:
        if self.kind == "gzip":
            last = self._places[-1].given if self._places else 0
            if self._flow.given >= last + self._spacing:
                self._places.append(self._flow.copy())
                if len(self._places) > _PLACES:
                    self._places, self._spacing = self._places[1::2], self._spacing * 2
        elif self._whole is not None and self._flow.given == len(self._whole) + len(found):
            self._whole += found
            if len(self._whole) > HELD:
                self._whole = None
