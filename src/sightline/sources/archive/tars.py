"""Tar files read where they lie: every header once, then any member by itself. Nothing is written anywhere."""

from __future__ import annotations

import zlib
from array import array
from collections import Counter

from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE
from sightline.sources import _naming
from sightline.sources._bytes import Bytes, Walk

MOST = 2_000_000  # members
_BLOCK = 512
_LONGEST = 2**16  # bytes of an extended header
_WHAT = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe", b"S": "a sparse file"}


class Tar:
    """The pictures in a tar by position, and what else lies there, counted by suffix."""

    def __init__(self, source: Bytes) -> None:
        self.source = source
        self.names: list[str] = []
        self.others: Counter[str] = Counter()
        self._starts, self._sizes = array("Q"), array("Q")
        self._index()
        if len(set(self.names)) < len(self.names):
            _naming.repeated(self.names, source.name)

    def read(self, index: int) -> bytes:
        """The bytes of one picture, or refused; a tar keeps no checksum of them."""
        name, size = f"{self.source.name}/{self.names[index]}", self._sizes[index]
        if size > LARGEST_FILE:
            raise InputError("too_large", f"{name}: {size:,} bytes; the limit is {LARGEST_FILE:,}.")
        data = self.source.at(self._starts[index], size)
        if len(data) != size:
            raise InputError("truncated", f"{name}: the archive ends before it does.")
        return data

    def _corrupt(self, why: str) -> InputError:
        return InputError("corrupt", f"{self.source.name}: {why}. Make the archive again.")

    def _index(self) -> None:
        walk = Walk(self.source)
        members, long_name, long_size = 0, "", -1
        while True:
            head = walk.read(_BLOCK)
            if len(head) < _BLOCK:
                raise InputError("truncated", f"{self.source.name}: the tar ends before its list of members does.")
            if not head.strip(b"\0"):
                return
            if not _matches(head):
                raise self._corrupt(f"the header after member {members:,} does not match its checksum")
            kind = head[156:157]
            size = self._number(head[124:136])
            after = walk.place + -(-size // _BLOCK) * _BLOCK
            if kind in (b"x", b"g", b"L", b"K"):
                if size > _LONGEST:
                    raise InputError("too_large", f"{self.source.name}: an entry has a name of {size:,} bytes.")
                more = walk.read(size)
                if kind == b"L":
                    long_name = self._text(more.rstrip(b"\0"))
                elif kind == b"x":
                    long_name, long_size = self._extended(more, long_name, long_size)
            else:
                members += 1
                if members > MOST:
                    raise InputError("too_large", f"{self.source.name}: more than {MOST:,} members.")
                name = _naming.safe(long_name or self._short(head), self.source.name)
                size = long_size if long_size >= 0 else size
                after = walk.place + -(-size // _BLOCK) * _BLOCK
                self._take(kind, name, walk.place, size)
                long_name, long_size = "", -1
            if after > self.source.size:
                raise InputError("truncated", f"{self.source.name}: the tar ends before its last member does.")
            walk.place = after

    def _take(self, kind: bytes, name: str, start: int, size: int) -> None:
        if kind == b"5" or (kind in (b"0", b"\0") and name.endswith("/")):
            return
        if kind not in (b"0", b"\0", b"7"):
            what = _WHAT.get(kind, f"of a kind {kind!r} that is not known")
            raise InputError(
                "unsupported",
                f"{self.source.name}: {name[:60]} is {what}; what it leads to is not read. Pack the files themselves.",
            )
        if _naming.is_picture(name):
            self.names.append(name)
            self._starts.append(start)
            self._sizes.append(size)
        elif suffix := _naming.labelling(name):
            self.others[suffix] += 1

    def _number(self, field: bytes) -> int:
        """A number in octal digits, or in the bits that follow a mark where it is large."""
        if field[0] == 0x80:
            return int.from_bytes(field[1:], "big")
        digits = field.strip(b" \0") or b"0"
        number = _octal(digits)
        if number < 0:
            raise self._corrupt(f"a member has the size {digits!r}")
        return number

    def _text(self, raw: bytes) -> str:
        return raw.decode("utf-8", "surrogateescape")

    def _short(self, head: bytes) -> str:
        name = head[:100].partition(b"\0")[0]
        prefix = head[345:500].partition(b"\0")[0] if head[257:263] == b"ustar\0" else b""
        return self._text(prefix + b"/" + name if prefix else name)

    def _extended(self, data: bytes, name: str, size: int) -> tuple[str, int]:
        """Name and size out of lines such as `22 path=photos/1.jpg`."""
        place = 0
        while place < len(data) and data[place : place + 1] != b"\0":
            digits, space, _ = data[place : place + 20].partition(b" ")
            length = int(digits) if digits.isdigit() else 0
            line = data[place + len(digits) + 1 : place + length]
            if not space or length <= len(digits) + 2 or not line.endswith(b"\n"):
                raise self._corrupt("an extended header is broken")
            word, _, value = line[:-1].partition(b"=")
            if word == b"path":
                name = self._text(value)
            elif word == b"size":
                if not value.isdigit() or len(value) > 19:
                    raise self._corrupt(f"a member has the size {value[:30]!r}")
                size = int(value)
            elif word.startswith(b"GNU.sparse"):
                raise InputError("unsupported", f"{self.source.name}: holds a sparse file. Pack it without --sparse.")
            place += length
        return name, size


def _matches(head: bytes) -> bool:
    """Whether a header sums up to what it says, its own sum counted as spaces."""
    said = _octal(head[148:156].strip(b" \0"))
    found = zlib.adler32(head[:148] + b"        " + head[156:]) & 0xFFFF  # one more than the sum of all, modulo 65521
    return said >= 0 and (said + 1) % 65521 == found


def _octal(digits: bytes) -> int:
    """The number, or -1 where there is none."""
    try:
        return int(digits, 8) if digits.isdigit() else -1
    except ValueError:
        return -1
