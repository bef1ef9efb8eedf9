"""Two pictures as light: what all matchers look at, and what they refuse."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from sightline.core.depth import checked, span
from sightline.core.errors import InputError

LEAST = 32  # rows and columns
_PLAIN = 0.5 / 255  # spread of light below which there is no picture


def floats(first: Any, second: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of float32 from 0 to 1."""
    lit = _lit(first, second, what)
    return _unit(lit[0]), _unit(lit[1])


def levels(first: Any, second: Any, what: str, *, alike: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of uint8; what is dark or deeper is stretched, both by the same where they must stay `alike`."""
    lit = _lit(first, second, what)
    if alike and lit[0].dtype == lit[1].dtype == np.uint8:
        return lit
    ranges = [_range(light) for light in lit]
    if alike and lit[0].dtype == lit[1].dtype:
        ranges = [(min(low for low, _ in ranges), max(high for _, high in ranges))] * 2
    made = tuple(_stretched(light, *limits) for light, limits in zip(lit, ranges, strict=True))
    return made[0], made[1]


def same_size(first: np.ndarray, second: np.ndarray, what: str) -> None:
    """Refuse two pictures of different size where a step is sought for every pixel."""
    if first.shape != second.shape:
        raise InputError(
            "mismatch",
            f"{what} takes two pictures of one size, not {first.shape} and {second.shape} rows and columns. "
            "Bring one to the size of the other, or lay it on the other by homography first.",
        )


def nothing(what: str, why: str) -> InputError:
    """The error of two pictures that have nothing in common that could be found."""
    return InputError("unrelated", f"{what}: there is nothing to hold on to: {why}.")


def _lit(first: Any, second: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Light in the depth that was given; plain pictures and those that are too small are refused."""
    made = []
    for place, given in (("first", first), ("second", second)):
        pixels = checked(given, what=what)
        if min(pixels.shape[:2]) < LEAST:
            raise InputError(
                "mismatch",
                f"{what} takes pictures of at least {LEAST} x {LEAST} pixels; the {place} has "
                f"{pixels.shape[0]} x {pixels.shape[1]}. Enlarge it.",
            )
        light = _gray(pixels)
        low, top = span(light)
        spread = float(np.asarray(cv2.meanStdDev(light)[1]).item()) / (top - low)
        if not np.isfinite(spread):
            raise InputError("mismatch", f"{what}: the {place} picture holds values that are no numbers.")
        if spread < _PLAIN:
            raise nothing(what, f"the {place} picture is plain")
        made.append(light)
    return made[0], made[1]


def _gray(pixels: np.ndarray) -> np.ndarray:
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[..., 0])
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    return np.asarray(pixels.mean(2, dtype=np.float32)).astype(pixels.dtype)


def _unit(light: np.ndarray) -> np.ndarray:
    low, top = span(light)
    made = np.multiply(light, np.float32(1 / (top - low)), dtype=np.float32)
    if low:
        made -= np.float32(low / (top - low))
    return np.asarray(made)


def _range(light: np.ndarray) -> tuple[float, float]:
    """All but the outermost values; the whole depth of a byte picture that uses a good part of it."""
    low, high = (float(value) for value in np.percentile(light[::4, ::4], (0.1, 99.9)))
    if light.dtype == np.uint8 and high - low > 96:
        return 0.0, 255.0
    if high <= low:
        low, high = float(light.min()), float(light.max())
    return low, high


def _stretched(light: np.ndarray, low: float, high: float) -> np.ndarray:
    if light.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return light
    scale = 255 / max(high - low, 1e-12)
    made = light.astype(np.float32)
    made -= np.float32(low)
    made *= np.float32(scale)
    np.rint(made, out=made)
    np.clip(made, 0, 255, out=made)
    return made.astype(np.uint8)
