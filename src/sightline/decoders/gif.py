"""GIF: the first frame of an animation, or any other, composed of those before it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.core.errors import InputError
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _pillow

SUFFIXES = (".gif",)


def recognises(data: bytes) -> int:
    """Either version."""
    return 2 * (data[:6] in (b"GIF87a", b"GIF89a"))


def look(data: bytes, page: int, limits: Limits) -> Header:
    """Blocks are walked to the end: they say how many frames there are, and whether any byte is missing."""
    pages = _count(data, limits)
    rows, columns = int.from_bytes(data[8:10], "little"), int.from_bytes(data[6:8], "little")
    if pages > limits.frames or rows * columns > limits.values:
        return Header("GIF", (rows, columns, 3), pages=pages, total=pages * rows * columns * 3)
    with _pillow.opened(data, "GIF") as picture:
        if 0 < page < pages:
            picture.seek(page)
        return _pillow.header_of(picture, "GIF", limits, pages=pages, animated=pages > 1)


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """The frame as it is seen."""
    return _pillow.read(data, "GIF", header, page)


def frames(data: bytes, limits: Limits) -> Iterator[tuple[np.ndarray, Header]]:
    """Every frame in one pass."""
    return _pillow.frames(data, "GIF", limits)


def _count(data: bytes, limits: Limits) -> int:
    """Frames up to the trailer, or a few more than the limit; the walk decodes nothing."""
    place, found = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0), 0
    while found <= limits.frames:
        mark = data[place]
        if mark == 0x3B:
            break
        if mark == 0x2C:
            found += 1
            flags = data[place + 9]
            place += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif mark == 0x21:
            place += 2
        elif mark == 0:  # padding between blocks
            place += 1
            continue
        else:
            raise InputError("corrupt", f"a GIF block that begins with {mark:#04x}.")
        while length := data[place]:
            place += 1 + length
        place += 1
    if not found:
        raise InputError("corrupt", "a GIF without a frame.")
    return found
