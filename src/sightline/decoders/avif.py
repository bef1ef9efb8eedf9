"""AVIF: 8 bits by Pillow, 10 and 12 bits by imagecodecs, since Pillow would cut them to 8."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from sightline.core.errors import InputError
from sightline.core.extras import need
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _boxes, _pillow

SUFFIXES = (".avif", ".avifs")


def recognises(data: bytes) -> int:
    """By the brands that the file names."""
    return 2 * bool({b"avif", b"avis"} & _boxes.brands(data))


def look(data: bytes, page: int, limits: Limits) -> Header:
    """Size, colours and orientation by Pillow; depth from the configuration of the codec."""
    _boxes.check_whole(data, "AVIF")
    header = _pillow.look(data, "AVIF", page, limits)
    bits = _bits(data)
    if bits == 8:
        return header
    if header.animated:
        raise InputError("unsupported", f"an animated AVIF of {bits} bits a channel would be cut to 8.")
    return dataclasses.replace(header, dtype=np.dtype(np.uint16), bits=bits)


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """All bits."""
    if header.bits == 8:
        return _pillow.read(data, "AVIF", header, page)
    pixels = np.asarray(need("imagecodecs").avif_decode(data, numthreads=1))
    return pixels.repeat(header.shape[2], 2) if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def frames(data: bytes, limits: Limits) -> Iterator[tuple[np.ndarray, Header]]:
    """Every frame in one pass."""
    return _pillow.frames(data, "AVIF", limits)


def _bits(data: bytes) -> int:
    """Of the deepest picture in the file (AV1 in ISO-BMFF, `av1C`)."""
    place, deepest = data.find(b"av1C"), 8
    while place >= 0 and place + 7 <= len(data):
        if data[place + 4] == 0x81:
            flags = data[place + 6]
            deepest = max(deepest, 12 if flags & 0x60 == 0x60 else 10 if flags & 0x40 else 8)
        place = data.find(b"av1C", place + 4)
    return deepest


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Colour of 8 bits."""
    return _pillow.encode(pixels, "AVIF", (3,), quality=quality, max_threads=1)
