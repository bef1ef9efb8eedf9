"""What a picture file says of itself before a pixel is decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

UINT8 = np.dtype(np.uint8)
TURNED = (5, 6, 7, 8)  # EXIF orientations whose rows are the columns of the upright picture


@dataclass(frozen=True, slots=True)
class Header:
    """One page as it is stored: before it is turned upright, and before colours and transparency are settled."""

    kind: str
    shape: tuple[int, ...]  # rows, columns, channels; of an array file whatever it says
    dtype: np.dtype[Any] = UINT8  # of the pixels that decoding gives
    bits: int = 8  # a channel, in the file
    colour: str = (
        "rgb"  # gray | rgb | cmyk | lab | channels | indices | array: what the channels besides transparency mean
    )
    alpha: str = ""  # straight | associated: the last channel is transparency
    palette: bool = False
    pages: int = 1
    total: int = 0  # values of all pages together
    animated: bool = False
    orientation: int = 1  # as EXIF counts
    profile: bytes = b""  # ICC
    reducible: bool = False  # can be decoded at 1/2, 1/4 and 1/8 of its size
    notes: tuple[str, ...] = ()
    plan: Any = None  # what the decoder of this kind wants to remember

    @property
    def values(self) -> int:
        """How many numbers the page holds."""
        return math.prod(self.shape)

    @property
    def size(self) -> tuple[int, ...]:
        """Rows and columns of the upright picture; of an array file its shape without the channels."""
        if self.colour == "array":
            return self.shape[:-1] if len(self.shape) > 2 else self.shape
        rows, columns = self.shape[:2]
        return (columns, rows) if self.orientation in TURNED else (rows, columns)

    @property
    def channels(self) -> int:
        """Channels of the picture that is answered: without transparency, print colours as three."""
        if self.colour == "array":
            return self.shape[-1] if len(self.shape) > 2 else 1
        stored = self.shape[2] - bool(self.alpha)
        return 3 if self.colour in ("cmyk", "lab") else stored
