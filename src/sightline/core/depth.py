"""Values of any depth as numbers from 0 to 1, and back: what looks at pixels need not know how many bits they have."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.errors import InputError

DEPTHS = ("uint8", "uint16", "float32")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_TOPS = {"B": 255.0, "H": 65535.0}  # white, by depth
_ONE = 0x3F800000  # the bits of 1.0: of floats, those from 0 to 1 and no others have bits that are no greater


def checked(image: Any, *, what: str = "this") -> np.ndarray:
    """Rows, columns, channels (one channel where there were none), of a depth that is known; nothing is copied."""
    pixels = np.asarray(image)
    if pixels.dtype.name not in DEPTHS:
        raise InputError("mismatch", f"{what} takes pictures of {', '.join(DEPTHS)}, not {pixels.dtype.name}.")
    if pixels.ndim not in (2, 3) or not pixels.size:
        raise InputError(
            "mismatch",
            f"{what} takes pictures of rows, columns and channels with at least one pixel, not {pixels.shape}.",
        )
    return pixels[..., None] if pixels.ndim == 2 else pixels


def span(pixels: np.ndarray) -> tuple[float, float]:
    """Black and white: the ends of the depth, or 0 and 1 for floats, wider where the values are (heights, counts)."""
    top = _TOPS.get(pixels.dtype.char)
    if top is not None:
        return 0.0, top
    if pixels.dtype == np.float32 and pixels.flags.c_contiguous and pixels.view(np.uint32).max(initial=0) <= _ONE:
        return 0.0, 1.0
    return float(np.fmin.reduce(pixels, axis=None, initial=0.0)), float(np.fmax.reduce(pixels, axis=None, initial=1.0))


def unit(pixels: np.ndarray) -> np.ndarray:
    """A float32 copy in which black is 0 and white is 1."""
    low, top = span(pixels)
    made = pixels.astype(np.float32)
    if low:
        made -= np.float32(low)
    made *= np.float32(1 / (top - low))
    return made


def from_unit(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Back to the depth and range of a picture; what lies beyond is clipped. `values` are used up."""
    low, top = span(like)
    np.clip(values, 0, 1, out=values)
    values *= np.float32(top - low)
    if like.dtype.kind == "u":
        np.rint(values, out=values)
    elif low:
        values += np.float32(low)
    return values.astype(like.dtype, copy=False)
