"""The members of a tar file without unpacking it: one pass over its headers, which are 512 bytes each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sightline.core.errors import InputError

BLOCK = 512
FEW, MANY = 4096, 2**20  # bytes read at once: where members are large, and where they are small
_REGULAR = b"0\x007"  # kinds of members that are files
_LONG, _PAX = b"L", b"x"
_ENDS = b"\0 "  # what ends a number


def members(file: Path, begin: int = 0, *, ahead: int = FEW) -> Iterator[tuple[str, int, int, int]]:
    """Name, where its header begins, where its bytes begin, and how many they are; of plain files alone."""
    with opened(file, ahead) as tape:
        yield from walk(tape, begin)


class Tape:
    """A file that is read forward; more at once while what is asked for lies close together."""

    def __init__(self, file: Path, handle: int, ahead: int) -> None:
        self.file, self.handle, self.ahead = file, handle, ahead
        self.whole = os.fstat(handle).st_size
        self.held, self.start, self.end, self.served = b"", 0, 0, 0

    def reach(self, place: int, size: int) -> int:
        """Where, in what is held, as many bytes as asked for begin, or fewer at the end of the file."""
        if place < self.start or place + size > self.end:
            if self.held:
                self.ahead = min(MANY, 2 * self.ahead) if self.served > 2 else max(FEW, self.ahead // 2)
            self.held = os.pread(self.handle, max(size, self.ahead), place)
            self.start, self.end, self.served = place, place + len(self.held), 0
        self.served += 1
        return place - self.start

    def part(self, place: int, size: int, most: int) -> bytes:
        """So many bytes from a place on."""
        if size > most:
            raise InputError("too_large", f"{self.file} byte {place:,}: {size:,} bytes; the limit is {most:,}.")
        begin = self.reach(place, size)
        data = self.held[begin : begin + size]
        if len(data) < size:
            raise InputError("truncated", f"{self.file}: ends before byte {place + size:,}.")
        return data


@contextlib.contextmanager
def opened(file: Path, ahead: int = FEW) -> Iterator[Tape]:
    """A tar file to walk through, opened once."""
    try:
        with file.open("rb", buffering=0) as stream:
            tape = Tape(file, stream.fileno(), ahead)
            if not tape.whole:
                raise InputError("empty", f"{file}: the file holds no bytes.")
            yield tape
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error


def walk(tape: Tape, place: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """The members from a header on; the bytes of one that is small are usually still held by the tape."""
    first, file, whole, reach = place, tape.file, tape.whole, tape.reach
    told: str | None = None
    while place + BLOCK <= whole:
        at = reach(place, BLOCK)
        header = tape.held[at : at + BLOCK]
        if len(header) < BLOCK:
            break  # it became shorter meanwhile
        if header[0] == 0:
            return
        try:
            if header[124] < 128:
                size = int(header[124:135] if header[135] in _ENDS else header[124:136], 8)
            else:
                size = int.from_bytes(header[125:136], "big")
        except ValueError:
            size = _spaced(header[124:136], file, place)
        begins = place + BLOCK
        if begins + size > whole:
            raise InputError("truncated", f"{file}: ends within a member that begins at byte {place:,}.")
        kind = header[156:157]
        if kind in (_LONG, _PAX):
            if size > 2**20:
                raise InputError("too_large", f"{file}: a name of {size:,} bytes at byte {place:,}.")
            found = _long_name(tape.part(begins, size, 2**20), kind)
            if found is not None:
                told, first = found, place
        else:
            if kind in _REGULAR:
                name = told or header[:100].split(b"\0", 1)[0].decode("utf-8", "replace")
                if header[345] and told is None:
                    name = header[345:500].split(b"\0", 1)[0].decode("utf-8", "replace") + "/" + name
                yield name, (first if told is not None else place), begins, size
            told = None
        place = begins + (size + BLOCK - 1) // BLOCK * BLOCK
    raise InputError("truncated", f"{file}: ends without the empty block that ends a tar file.")


def _spaced(word: bytes, file: Path, place: int) -> int:
    """A size that another program wrote with blanks or without its last zero."""
    try:
        return int(word.rstrip(b"\0 ") or b"0", 8)
    except ValueError as error:
        raise InputError("corrupt", f"{file}: no tar header at byte {place:,}.") from error


def _long_name(data: bytes, kind: bytes) -> str | None:
    """The name in a member that names the next one."""
    if kind == _LONG:
        return data.rstrip(b"\0").decode("utf-8", "replace")
    rest = data
    while rest:
        head, space, _ = rest.partition(b" ")
        if not space or not head.isdigit() or not 0 < int(head) <= len(rest):
            return None
        key, _, value = rest[len(head) + 1 : int(head)].rstrip(b"\n").partition(b"=")
        if key == b"path":
            return value.decode("utf-8", "replace")
        rest = rest[int(head) :]
    return None


def key_of(name: str) -> tuple[str, str]:
    """The key that members of one sample share, and what follows it: folder/1 and seg.png of folder/1.seg.png."""
    folder, slash, last = name.rpartition("/")
    stem, _, ending = last.partition(".")
    return folder + slash + stem, ending


def read_part(file: Path, begins: int, size: int, most: int) -> bytes:
    """So many bytes of a file from a place on."""
    if size > most:
        raise InputError("too_large", f"{file} byte {begins:,}: {size:,} bytes; the limit is {most:,}.")
    try:
        with file.open("rb", buffering=0) as opened:
            opened.seek(begins)
            data = opened.read(size)
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error
    if len(data) < size:
        raise InputError("truncated", f"{file}: ends before byte {begins + size:,}.")
    return data
