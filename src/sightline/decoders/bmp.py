"""BMP, by Pillow."""

from __future__ import annotations

import numpy as np

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


def read(data: bytes, header: Header, page: int, reduce: int) -> np.ndarray:
    """Palettes, packed bits and runs alike."""
    return _pillow.read(data, "BMP", header, page)


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """Gray or colour of 8 bits."""
    return _pillow.encode(pixels, "BMP", (1, 3))
