"""Boxes of ISO media files: which brands they name, and whether the last box ends where the file does."""

from __future__ import annotations

from sightline.core.errors import InputError


def brands(data: bytes) -> set[bytes]:
    """The major brand and the compatible ones; none where the file does not begin with a list of them."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    return {data[8:12], *(data[place : place + 4] for place in range(16, end - 3, 4))}


def check_whole(data: bytes, kind: str) -> None:
    """Every box of the top level lies within the file."""
    place = 0
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if length == 1:
            length = int.from_bytes(data[place + 8 : place + 16], "big")
        elif length == 0:
            length = len(data) - place
        if length < 8:
            raise InputError("corrupt", f"a part of the {kind} has {length} bytes.")
        place += length
    if place > len(data):
        raise InputError("truncated", f"the {kind} ends before its picture does.")
