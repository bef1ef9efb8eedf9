"""Filters of mathematical morphology: the lightest and the darkest of a neighbourhood; each channel for itself."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from sightline.core.asked import whole, word
from sightline.filters._pixels import by_four, ends, on_any_pixels

_SHAPES = ("disc", "square", "cross", "diamond")


@on_any_pixels
def erode(image: np.ndarray, *, radius: int = 2, shape: str = "disc", times: int = 1) -> np.ndarray:
    """The darkest value within `radius` pixels: what is light gets thinner. Shapes: disc, square, cross, diamond."""
    return _shaped("erode", image, cv2.MORPH_ERODE, radius, shape, times)


@on_any_pixels
def dilate(image: np.ndarray, *, radius: int = 2, shape: str = "disc", times: int = 1) -> np.ndarray:
    """The lightest value within `radius` pixels: what is light gets thicker. Shapes: disc, square, cross, diamond."""
    return _shaped("dilate", image, cv2.MORPH_DILATE, radius, shape, times)


@on_any_pixels
def open(image: np.ndarray, *, radius: int = 2, shape: str = "disc", times: int = 1) -> np.ndarray:
    """Eroded, then dilated: light specks that the shape does not fit into are gone, the rest is as it was."""
    return _shaped("open", image, cv2.MORPH_OPEN, radius, shape, times)


@on_any_pixels
def close(image: np.ndarray, *, radius: int = 2, shape: str = "disc", times: int = 1) -> np.ndarray:
    """Dilated, then eroded: dark specks that the shape does not fit into are gone, the rest is as it was."""
    return _shaped("close", image, cv2.MORPH_CLOSE, radius, shape, times)


@on_any_pixels
def top_hat(image: np.ndarray, *, radius: int = 6, shape: str = "disc") -> np.ndarray:
    """What opening takes away: light things smaller than the shape, on black, whatever the light around them."""
    return _shaped("top_hat", image, cv2.MORPH_TOPHAT, radius, shape, 1)


@on_any_pixels
def black_hat(image: np.ndarray, *, radius: int = 6, shape: str = "disc") -> np.ndarray:
    """What closing adds: dark things smaller than the shape, light on black."""
    return _shaped("black_hat", image, cv2.MORPH_BLACKHAT, radius, shape, 1)


@on_any_pixels
def morphological_gradient(image: np.ndarray, *, radius: int = 1, shape: str = "disc") -> np.ndarray:
    """The lightest less the darkest of the neighbourhood: edges, light on black."""
    return _shaped("morphological_gradient", image, cv2.MORPH_GRADIENT, radius, shape, 1)


def _shaped(what: str, pixels: np.ndarray, way: int, radius: int, shape: str, times: int) -> np.ndarray:
    whole(what, "radius", radius, 1, 200)
    whole(what, "times", times, 1, 1000)
    kernel = _kernel(int(radius), word(what, "shape", shape, _SHAPES))
    differs = way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT, cv2.MORPH_GRADIENT)

    def change(part: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.morphologyEx(part, way, kernel, iterations=int(times)))

    made = by_four(pixels, change)
    if differs and pixels.dtype.kind == "f" and (low := ends(pixels)[0]):
        made += np.float32(low)  # a difference of nothing is black, which lies below 0 here
    return made


@lru_cache(64)
def _kernel(radius: int, shape: str) -> np.ndarray:
    """The pixels around one that count, itself among them."""
    y, x = np.abs(np.mgrid[-radius : radius + 1, -radius : radius + 1])
    inside = {
        "disc": x * x + y * y <= radius * radius,
        "square": x >= 0,
        "cross": (x == 0) | (y == 0),
        "diamond": x + y <= radius,
    }
    return np.asarray(inside[shape].astype(np.uint8))
