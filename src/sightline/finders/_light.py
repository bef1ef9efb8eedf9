"""How finders see light: one plane of it, in the depth of the picture, from 0 to 1, or in bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.depth import LUMA, checked, span


def plane(image: Any, what: str) -> tuple[np.ndarray, float, float]:
    """Rows and columns in the picture's own depth (luma of three channels, else their mean), its black and its white.

    Values that are no numbers are black.
    """
    pixels = _known(checked(image, what=what))
    channels = pixels.shape[2]
    if channels == 1:
        gray = np.ascontiguousarray(pixels[..., 0])
    elif channels == 3:
        import cv2

        gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY))
    else:
        gray = pixels.mean(2, dtype=np.float32)
        gray = np.rint(gray).astype(pixels.dtype) if pixels.dtype.kind == "u" else gray
    return gray, *span(gray)


def unit_plane(image: Any, what: str) -> np.ndarray:
    """The same as float32 from 0 (black) to 1 (white)."""
    import cv2

    gray, black, white = plane(image, what)
    return np.asarray(cv2.multiply(gray - black if black else gray, 1 / (white - black), dtype=cv2.CV_32F)).reshape(
        gray.shape
    )


def byte_plane(image: Any, what: str) -> np.ndarray:
    """The same in 256 levels, for what knows bytes only."""
    gray, black, white = plane(image, what)
    if gray.dtype == np.uint8:
        return gray
    even = (gray.astype(np.float32) - np.float32(black)) * np.float32(255 / (white - black))
    return np.asarray(np.rint(even)).astype(np.uint8)


def colours(image: Any, what: str) -> np.ndarray:
    """Rows, columns, channels as float32 from 0 to 1; values that are no numbers are black."""
    pixels = _known(checked(image, what=what))
    black, white = span(pixels)
    return np.asarray((pixels.astype(np.float32) - np.float32(black)) * np.float32(1 / (white - black)))


def _known(pixels: np.ndarray) -> np.ndarray:
    """The same values, black where they are no numbers."""
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        return np.asarray(np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0))
    return pixels


def luma(values: np.ndarray) -> np.ndarray:
    """One plane of float32 colours."""
    if values.shape[2] == 1:
        return values[..., 0]
    return np.asarray(values @ LUMA if values.shape[2] == 3 else values.mean(2), np.float32)
