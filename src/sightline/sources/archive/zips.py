"""Zip files read where they lie: the directory once, then any member by itself. Nothing is written anywhere."""

from __future__ import annotations

import stat
import struct
import zlib
from array import array
from collections import Counter

import numpy as np

from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE
from sightline.sources import _naming
from sightline.sources._bytes import Bytes

MAGIC = (b"PK\3\4", b"PK\5\6")
MOST = 2_000_000  # members
RATIO = 100  # what a member may grow by when it is unpacked
_FREE = 2**20  # bytes below which growth does not matter
_CENTRAL = struct.Struct("<4s4B4HI2I5H2I")
_LOCAL = struct.Struct("<4s5HI2I2H")
_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_METHODS = {0: "stored", 8: "deflated"}


class Zip:
    """The pictures in a zip by position, and what else lies there, counted by suffix."""

    def __init__(self, source: Bytes) -> None:
        self.source = source
        self.names: list[str] = []
        self.others: Counter[str] = Counter()
        self._starts, self._packed, self._sizes = array("Q"), array("Q"), array("Q")
        self._sums, self._methods = array("I"), array("H")
        start, length, count = self._directory()
        if count > MOST:
            raise InputError("too_large", f"{source.name}: {count:,} members; the limit is {MOST:,}.")
        directory = source.at(start, length)
        if len(directory) != length or length < count * 46:
            raise self._corrupt("its directory is cut")
        self._index(directory, start, count)
        self._refuse_overlap(start)
        if len(set(self.names)) < len(self.names):
            _naming.repeated(self.names, source.name)

    def _corrupt(self, why: str) -> InputError:
        return InputError("corrupt", f"{self.source.name}: {why}. Make the archive again.")

    def _directory(self) -> tuple[int, int, int]:
        """Where the list of members lies, how long it is, and how many it says there are."""
        tail_start = max(0, self.source.size - 2**16 - _END.size)
        tail = self.source.at(tail_start, self.source.size - tail_start)
        place = tail.rfind(b"PK\5\6")
        if place < 0 or place + _END.size > len(tail):
            raise InputError("truncated", f"{self.source.name}: the zip ends before its list of members does.")
        _, disk, first, here, count, length, start, comment = _END.unpack_from(tail, place)
        end = tail_start + place
        if place + _END.size + comment > len(tail):
            raise InputError("truncated", f"{self.source.name}: the zip ends before its comment does.")
        if 0xFFFF in (here, count) or 0xFFFFFFFF in (length, start):
            end, disk, first, here, count, length, start = self._directory64(end, (disk, first, here, count), start)
        if disk or first or here != count:
            raise InputError("unsupported", f"{self.source.name}: a part of a zip in several files. Join them first.")
        if start + length != end:
            raise self._corrupt("its list of members does not lie where its end says")
        return start, length, count

    def _directory64(self, end: int, numbers: tuple[int, ...], start: int) -> tuple[int, ...]:
        found = self.source.at(max(0, end - _LOCATOR.size), _LOCATOR.size)
        if len(found) < _LOCATOR.size or not found.startswith(b"PK\6\7"):
            if start == 0xFFFFFFFF:
                raise self._corrupt("its large list of members is not there")
            _, disk, first, here, count, length, start, _ = _END.unpack(self.source.at(end, _END.size))
            return end, disk, first, here, count, length, start
        place = _LOCATOR.unpack(found)[2]
        block = self.source.at(place, _END64.size)
        if len(block) < _END64.size or not block.startswith(b"PK\6\6"):
            raise self._corrupt("its large list of members is not there")
        *_, disk, first, here, count, length, start = _END64.unpack(block)
        return place, disk, first, here, count, length, start

    def _index(self, directory: bytes, end: int, count: int) -> None:
        place, unpack, where = 0, _CENTRAL.unpack_from, self.source.name
        spans = array("Q")
        for _ in range(count):
            if place + 46 > len(directory) or directory[place : place + 4] != b"PK\1\2":
                raise self._corrupt("its list of members is broken")
            (_, _, system, _, _, flags, method, _, _, total, packed, size, named, extra, comment, _, _, mode, start) = (
                unpack(directory, place)
            )
            first = place + 46
            place = first + named + extra + comment
            name = self._name(directory[first : first + named], flags)
            if 0xFFFFFFFF in (packed, size, start):
                more = directory[first + named : first + named + extra]
                size, packed, start = self._large(more, size, packed, start)
            if start + packed + 30 > end:
                raise self._corrupt(f"{name[:60]} is said to lie beyond the list of members")
            kind = stat.S_IFMT(mode >> 16) if system == 3 else 0
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                what = "a link" if kind == stat.S_IFLNK else "a device"
                raise InputError(
                    "unsupported",
                    f"{where}: {name[:60]} is {what}; what it leads to is not read. Pack the files themselves.",
                )
            spans.extend((start, packed))
            if name.endswith("/") or kind == stat.S_IFDIR:
                continue
            if not _naming.is_picture(name):
                if suffix := _naming.labelling(name):
                    self.others[suffix] += 1
                continue
            if flags & 0x2041:
                raise InputError(
                    "unsupported", f"{where}: {name[:60]} is encrypted. Unpack it with its password first."
                )
            self.names.append(name)
            self._starts.append(start)
            self._packed.append(packed)
            self._sizes.append(size)
            self._sums.append(total)
            self._methods.append(method)
        if place != len(directory):
            raise self._corrupt("its list of members is longer than it says")
        self._spans = spans

    def _name(self, raw: bytes, flags: int) -> str:
        if raw.isascii():
            return _naming.safe(raw.decode("ascii"), self.source.name)
        try:
            text = raw.decode("utf-8" if flags & 0x800 else "cp437")
        except UnicodeDecodeError as error:
            raise self._corrupt(f"a member has a name that is no text ({raw[:40]!r})") from error
        return _naming.safe(text, self.source.name)

    def _large(self, extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
        """The numbers that did not fit in 32 bits."""
        place, found = 0, b""
        while place + 4 <= len(extra):
            kind, length = struct.unpack_from("<2H", extra, place)
            if kind == 1:
                found = extra[place + 4 : place + 4 + length]
            place += 4 + length
        wanted = [value == 0xFFFFFFFF for value in (size, packed, start)]
        if len(found) < 8 * sum(wanted):
            raise self._corrupt("a member is too large for its entry")
        large = iter(struct.unpack_from(f"<{sum(wanted)}Q", found))
        size, packed, start = (
            next(large) if it else value for it, value in zip(wanted, (size, packed, start), strict=True)
        )
        return size, packed, start

    def _refuse_overlap(self, end: int) -> None:
        """Members that share bytes: how a small file is made to hold more than a disk."""
        spans = np.frombuffer(self._spans, np.uint64).reshape(-1, 2) if self._spans else np.zeros((0, 2), np.uint64)
        del self._spans
        order = np.argsort(spans[:, 0], kind="stable")
        starts, packed = spans[order, 0], spans[order, 1]
        if len(starts) > 1 and bool((starts[:-1] + packed[:-1] + np.uint64(30) > starts[1:]).any()):
            raise self._corrupt("members share the same bytes, as in a bomb")

    def read(self, index: int) -> bytes:
        """The bytes of one picture, whole and as their checksum says, or refused."""
        name = f"{self.source.name}/{self.names[index]}"
        start, packed, size = self._starts[index], self._packed[index], self._sizes[index]
        method = self._methods[index]
        if size > LARGEST_FILE or packed > LARGEST_FILE:
            raise InputError("too_large", f"{name}: {max(size, packed):,} bytes; the limit is {LARGEST_FILE:,}.")
        if size > RATIO * packed + _FREE:
            raise InputError(
                "too_large", f"{name}: {packed:,} bytes that unpack to {size:,}; the limit is {RATIO} times."
            )
        if method not in _METHODS:
            raise InputError("unsupported", f"{name}: packed by method {method}. Pack it again with deflate.")
        head = self.source.at(start, _LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
            raise InputError("corrupt", f"{name}: does not lie where the list of members says.")
        *_, named, extra = _LOCAL.unpack(head)
        data = self.source.at(start + _LOCAL.size + named + extra, packed)
        if len(data) != packed:
            raise InputError("truncated", f"{name}: the archive ends before it does.")
        if method:
            data = self._inflate(data, size, name)
        if len(data) != size or zlib.crc32(data) != self._sums[index]:
            raise InputError("corrupt", f"{name}: does not match its size and checksum.")
        return data

    def _inflate(self, data: bytes, size: int, name: str) -> bytes:
        unpacking = zlib.decompressobj(-15)
        try:
            found = unpacking.decompress(data, size + 1)
        except zlib.error as error:
            raise InputError("corrupt", f"{name}: cannot be unpacked ({error}).") from error
        if len(found) > size or not unpacking.eof:
            raise InputError("corrupt", f"{name}: does not unpack to the {size:,} bytes that it should.")
        return found
