"""BMP, by Pillow."""

from __future__ import annotations

import struct

import numpy as np

from sightline.core.errors import InputError
from sightline.core.header import Header
from sightline.core.limits import Limits
from sightline.decoders import _pillow

SUFFIXES = (".bmp", ".dib")


def recognises(data: bytes) -> int:
    """Two letters are few, so any other kind is surer."""
    return int(data[:2] == b"BM")


def look(data: bytes, page: int, limits: Limits) -> Header:
    """From its one header."""
    return _pillow.look(data, "BMP", page, limits, orientation=1, pages=1)


def _check_whole(data: bytes) -> None:
    """Rows that are not packed, each filled up to four bytes, lie within the file."""
    start, size = struct.unpack_from("<II", data, 10)
    if size == 12:
        columns, rows, _, bits = struct.unpack_from("<4H", data, 18)
        packing = 0
    else:
        columns, rows, _, bits, packing = struct.unpack_from("<iiHHI", data, 18)
    end = start + (columns * bits + 31) // 32 * 4 * abs(rows)
    if packing in (0, 3) and columns * abs(rows) <= 2**28 and end > len(data):  # a larger one is refused for that
        raise InputError("truncated", "the BMP ends before its picture does.")


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """Palettes, packed bits and runs alike."""
    _check_whole(data)
    return _pillow.read(data, "BMP", header, page)


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Gray or colour of 8 bits."""
    return _pillow.encode(pixels, "BMP", (1, 3))
