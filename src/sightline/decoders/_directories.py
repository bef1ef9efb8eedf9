"""Directories of TIFF files, read without any library: bounded, never in circles, nothing taken on trust."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sightline.core.errors import InputError

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LETTERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST = 4096  # tags of a directory


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of one page; values are looked up when asked for."""

    data: bytes
    order: str
    entries: dict[int, tuple[int, int, int]]  # tag -> type, count, where its values lie

    def all(self, tag: int, most: int = 2**22) -> tuple[int, ...]:
        """Every whole number of a tag; () where it is not there."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if kind not in _LETTERS or count == 0:
            return ()
        if count > most:
            raise InputError("too_large", f"a TIFF tag {tag} with {count:,} values; the limit is {most:,}.")
        return struct.unpack_from(f"{self.order}{count}{_LETTERS[kind]}", self.data, place)

    def one(self, tag: int, default: int) -> int:
        """The first whole number of a tag."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if kind not in _LETTERS or count == 0:
            return default
        return int(struct.unpack_from(self.order + _LETTERS[kind], self.data, place)[0])

    def raw(self, tag: int, most: int) -> bytes:
        """The bytes of a tag."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if count * _SIZES.get(kind, 1) > most:
            raise InputError("too_large", f"a TIFF tag {tag} of {count:,} values; the limit is {most:,} bytes.")
        return self.data[place : place + count * _SIZES.get(kind, 1)]


def check_whole(pages: list[Directory], size: int, most: int = 2**22) -> None:
    """Every strip and tile of every page lies within the file."""
    for page in pages:
        for starts, counts in ((page.all(273, most), page.all(279, most)), (page.all(324, most), page.all(325, most))):
            most -= len(starts)
            if any(start + count > size for start, count in zip(starts, counts, strict=False)):
                raise InputError("truncated", "the TIFF ends before its pictures do.")


def directories(data: bytes) -> Iterator[Directory]:
    """One a page, in the order of the file; a chain that leads back is refused."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    word, entry, head = ("Q", 20, 8) if big else ("I", 12, 2)
    (place,) = struct.unpack_from(order + word, data, 8 if big else 4)
    seen: set[int] = set()
    while place:
        if place in seen:
            raise InputError("corrupt", "a TIFF whose pages lead in a circle.")
        seen.add(place)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
        if count > _MOST or count == 0:
            raise InputError("corrupt", f"a TIFF directory of {count:,} tags.")
        first, end = place + head, place + head + count * entry
        entries: dict[int, tuple[int, int, int]] = {}
        for start in range(first, end, entry):
            tag, kind, number = struct.unpack_from(order + "HH" + word, data, start)
            inline = start + 4 + (8 if big else 4)
            fits = number * _SIZES.get(kind, 1) <= (8 if big else 4)
            entries.setdefault(
                tag, (kind, number, inline if fits else struct.unpack_from(order + word, data, inline)[0])
            )
        yield Directory(data, order, entries)
        (place,) = struct.unpack_from(order + word, data, end)
