"""Decoded pictures kept between epochs and runs: found by content, read through a memory map, vouched for by checksums.

A folder of segments. Each is one data file and an index beside it, written by one process, read by all. An entry
enters the index after its pixels are written and is checked when a process first reads it, and every sixteenth time
after that, so that nothing half-written, nothing that a power cut has torn and no flipped bit of a file is taken for a
picture: it is decoded again. The segment that was not used for longest goes first when room is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import math
import mmap
import os
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEGMENT = 256 * 2**20  # bytes of pixels; a larger picture has one of its own
_ENTRY = struct.Struct("<32sQBB4I16s8s")  # key, place, depth, axes, shape, checksum; and the checksum of these
_DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))
_AGAIN = 16  # readings of a picture from one check to the next
_ROW = 521  # words; as no page is as long, pages in another order have other sums


def checksum(pixels: np.ndarray) -> bytes:
    """Sums of words by their place in rows that are no page long, hashed: changed bits and misplaced pages show."""
    raw = pixels.reshape(-1).view(np.uint8)
    whole = raw.size // (8 * _ROW) * 8 * _ROW
    made = hashlib.blake2b(f"{pixels.dtype.num}{pixels.shape}".encode(), digest_size=16)
    made.update(np.add.reduce(raw[:whole].view(np.uint64).reshape(-1, _ROW), 0).tobytes())
    made.update(raw[whole:].tobytes())
    return made.digest()


def decoder_version() -> str:
    """What decoded pixels depend on besides the file: another release may round otherwise."""
    names = ("sightline", "pillow", "simplejpeg", "imagecodecs", "tifffile", "pi-heif", "rawpy", "av")
    found = []
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join(found)


@dataclass(slots=True)
class Entry:
    """Where a picture lies."""

    segment: Segment
    place: int
    dtype: np.dtype
    shape: tuple[int, ...]
    sum: bytes
    read: int = 0  # times, by this process

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class Segment:
    """A data file, its index, and the map through which it is read."""

    def __init__(self, path: Path, room: int = 0) -> None:
        self.path, self.used, self.end, self.room = path, False, 0, room
        if room:
            self.data = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
            os.ftruncate(self.data, room)  # sparse: takes no room before it is written
            self.index = os.open(path.with_suffix(".index"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        else:
            self.data, self.index = os.open(path, os.O_RDONLY), -1
        size = os.fstat(self.data).st_size
        self.map = mmap.mmap(self.data, size, access=mmap.ACCESS_READ) if size else None
        if not room:
            os.close(self.data)

    def entries(self) -> dict[bytes, Entry]:
        """What the index vouches for; a torn or altered line is no entry."""
        found: dict[bytes, Entry] = {}
        size = 0 if self.map is None else len(self.map)
        raw = self.path.with_suffix(".index").read_bytes()
        for start in range(0, len(raw) - _ENTRY.size + 1, _ENTRY.size):
            line = raw[start : start + _ENTRY.size]
            key, place, depth, axes, a, b, c, d, check, own = _ENTRY.unpack(line)
            if own != _own(line[:-8]) or depth >= len(_DEPTHS) or not 1 <= axes <= 4:
                continue
            entry = Entry(self, place, _DEPTHS[depth], (a, b, c, d)[:axes], check)
            if place + entry.size <= size:
                found[key] = entry
        return found

    def view(self, entry: Entry) -> np.ndarray:
        assert self.map is not None
        return np.ndarray(entry.shape, entry.dtype, self.map, entry.place)

    def write(self, pixels: np.ndarray) -> int:
        """Append pixels; answers where they lie."""
        place, rest = self.end, np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data
        at = place
        while rest:
            count = os.pwrite(self.data, rest, at)
            at, rest = at + count, rest[count:]
        self.end = -(-at // 64) * 64
        return place

    def note(self, key: bytes, entry: Entry) -> None:
        """Let the index vouch for an entry that has been written."""
        shape = (*entry.shape, 0, 0, 0)[:4]
        plain = _ENTRY.pack(
            key, entry.place, _DEPTHS.index(entry.dtype), len(entry.shape), *shape, entry.sum, b"\0" * 8
        )
        os.write(self.index, plain[:-8] + _own(plain[:-8]))

    def close(self) -> None:
        """Give back the room that was not needed; maps that are in use stay valid."""
        if self.index >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self.data, max(1, self.end))
            os.close(self.index)
            os.close(self.data)
            self.index = self.data = -1


def _own(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=8).digest()


class Cache:
    """Pictures by key, in at most `limit` bytes of a folder that other processes may use at the same time."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.hits = self.misses = self.bad = 0
        self.full = False
        self.lock = threading.Lock()
        self.segments: list[Segment] = []
        self.found: dict[bytes, Entry] = {}
        self.version = decoder_version()
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.pixels"), key=_age):
            with contextlib.suppress(OSError, ValueError):  # another process may take it away just now
                segment = Segment(path)
                self.segments.append(segment)
                self.found.update(segment.entries())
        self.own: Segment | None = None

    def key(self, fingerprint: str, size: tuple[int, ...] | None = None) -> bytes:
        """The name of a picture's pixels as a whole, or as decoded at a part of its size."""
        return hashlib.blake2b(f"{fingerprint}|{size}|{self.version}".encode(), digest_size=32).digest()

    def get(self, key: bytes) -> np.ndarray | None:
        """The pixels, read-only, exactly as they were put; None where there are none or they have changed since."""
        entry = self.found.get(key)
        if entry is None:
            self.misses += 1
            return None
        pixels = entry.segment.view(entry)
        if entry.read % _AGAIN == 0 and checksum(pixels) != entry.sum:
            with self.lock:
                self.bad += 1
                self.found.pop(key, None)
            return None
        if not entry.segment.used:
            entry.segment.used = True
            with contextlib.suppress(OSError):
                os.utime(entry.segment.path)
        entry.read += 1
        self.hits += 1
        return pixels

    def put(self, key: bytes, pixels: np.ndarray, *others: bytes) -> None:
        """Keep pixels under one or more keys, if there is room; a full disk is no reason to stop."""
        if self.full or pixels.dtype not in _DEPTHS or not 1 <= pixels.ndim <= 4 or not pixels.size:
            return
        pixels = np.ascontiguousarray(pixels)
        check = checksum(pixels)
        with self.lock:
            if all(each in self.found for each in (key, *others)):
                return
            try:
                entry = self.found.get(key)
                if entry is None:
                    segment = self._segment(pixels.nbytes)
                    if segment is None:
                        self.full = True
                        return
                    entry = Entry(segment, segment.write(pixels), pixels.dtype, pixels.shape, check)
                for each in (key, *others):
                    if each not in self.found and entry.segment.index >= 0:
                        entry.segment.note(each, entry)
                    self.found[each] = entry
            except OSError:
                self.full = True

    def _segment(self, size: int) -> Segment | None:
        """The segment to write to, with room for this much; old ones make room, those in use never do."""
        if self.own is not None and self.own.end + size <= self.own.room:
            return self.own
        room = max(SEGMENT, size)
        room = max(size, min(room, self.limit // 4))
        while self._total() + room > self.limit:
            oldest = next((segment for segment in self.segments if not segment.used), None)
            if oldest is None:
                return None
            self._drop(oldest)
        name = f"{time.time_ns():020d}-{os.getpid()}-{len(self.segments)}"
        self.own = Segment(self.folder / f"{name}.pixels", room)
        self.own.used = True
        self.segments.append(self.own)
        return self.own

    def _total(self) -> int:
        """Bytes of every segment in the folder, also of those that other processes write now."""
        return sum(_size(path) for path in self.folder.glob("*.pixels"))

    def _drop(self, segment: Segment) -> None:
        self.segments.remove(segment)
        self.found = {key: entry for key, entry in self.found.items() if entry.segment is not segment}
        for path in (segment.path.with_suffix(".index"), segment.path):
            with contextlib.suppress(OSError):
                path.unlink()
        segment.close()

    def close(self) -> None:
        """Write no more; a segment that holds nothing leaves nothing behind."""
        with self.lock:
            self.full = True
            for segment in self.segments:
                empty = segment.index >= 0 and not segment.end
                segment.close()
                if empty:
                    segment.path.unlink(missing_ok=True)
                    segment.path.with_suffix(".index").unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
