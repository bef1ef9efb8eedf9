"""WebP: lossy, lossless and animated, by Pillow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.core.errors import InputError
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _pillow

SUFFIXES = (".webp",)


def recognises(data: bytes) -> int:
    """A RIFF file; which one is asked later, so that a sound file is told from a video."""
    return (data[:4] == b"RIFF") + (data[8:12] == b"WEBP" and data[:4] == b"RIFF")


def look(data: bytes, page: int, limits: Limits) -> Header:
    """The size of the container is held to the bytes that are there."""
    if data[8:12] != b"WEBP":
        raise InputError("corrupt", "a RIFF file that holds no picture.")
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise InputError("truncated", "the WebP ends before its picture does.")
    if data[12:16] == b"VP8X":
        rows, columns = (1 + int.from_bytes(data[place : place + 3], "little") for place in (27, 24))
        if rows * columns * 3 > limits.values or _count(data, limits) > limits.frames:
            pages = _count(data, limits)
            return Header("WEBP", (rows, columns, 3), pages=pages, total=pages * rows * columns * 3)
    return _pillow.look(data, "WEBP", page, limits)


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """The frame as it is seen."""
    return _pillow.read(data, "WEBP", header, page)


def frames(data: bytes, limits: Limits) -> Iterator[tuple[np.ndarray, Header]]:
    """Every frame in one pass."""
    return _pillow.frames(data, "WEBP", limits)


def _count(data: bytes, limits: Limits) -> int:
    """Frames of an animation, or a few more than the limit."""
    place, found = 12, 0
    while place + 8 <= len(data) and found <= limits.frames:
        found += data[place : place + 4] == b"ANMF"
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + length + (length & 1)
    return max(1, found)


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Colour of 8 bits; without loss at quality 100."""
    return _pillow.encode(pixels, "WEBP", (3,), quality=quality, lossless=quality == 100, method=4, exact=True)
