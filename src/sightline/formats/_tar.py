"""The members of a tar file without unpacking it: one pass over its headers, which are 512 bytes each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sightline.core.errors import InputError

BLOCK = 512
_REGULAR = b"0\x007"  # kinds of members that are files
_LONG, _PAX = b"L", b"x"
_ENDS = b"\0 "  # what ends a number


def members(file: Path, begin: int = 0, *, ahead: int = 2**16) -> Iterator[tuple[str, int, int, int]]:
    """Name, where its header begins, where its bytes begin, and how many they are; of plain files alone."""
    try:
        with file.open("rb", buffering=ahead) as opened:
            whole = os.fstat(opened.fileno()).st_size
            if not whole:
                raise InputError("empty", f"{file}: the file holds no bytes.")
            yield from _walk(opened, whole, file, begin)
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error


def _walk(opened: BinaryIO, whole: int, file: Path, place: int) -> Iterator[tuple[str, int, int, int]]:
    first = place
    told: str | None = None
    seek, read = opened.seek, opened.read
    while place + BLOCK <= whole:
        seek(place)
        header = read(BLOCK)
        if len(header) == BLOCK and header[0] == 0:
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
            found = _long_name(read(size), kind)
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
