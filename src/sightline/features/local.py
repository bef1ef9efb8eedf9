"""Features of places: a descriptor for each point of a grid; a model learns which of them are words."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from sightline.features._light import gray, resized

_ROOM = 40  # pixels that ORB wants around a place


def sift(image: np.ndarray, *, grid: int = 8, side: int = 64) -> np.ndarray:
    """(grid * grid, 128): upright SIFT on a dense grid, root of shares (Lowe 2004; Arandjelovic 2012)."""
    import cv2

    shown = resized(gray(image), side, side)
    light = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)  # OpenCV knows SIFT for bytes only
    detector: Any = cv2
    _, found = detector.SIFT_create().compute(light, _points(grid, side))
    found = np.maximum(np.asarray(found, np.float32), 0)
    return np.asarray(np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6)), np.float32)


def orb(image: np.ndarray, *, grid: int = 8, side: int = 64, turned: bool = False) -> np.ndarray:
    """(grid * grid, 256): which of two near places is lighter, for 256 pairs, as 0 and 1 (Rublee et al. 2011).

    On a dense grid and upright; with `turned` the pairs turn with the light around each place.
    """
    import cv2

    shown = resized(gray(image), side, side)
    light = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    light = np.asarray(cv2.copyMakeBorder(light, *(_ROOM,) * 4, cv2.BORDER_REFLECT_101 if side > _ROOM else 2))
    angles = _angles(light, grid, side) if turned else np.zeros(grid * grid)
    places = (np.arange(grid) + 0.5) * (side / grid) + _ROOM
    at = [(x, y) for y in places for x in places]
    points = [cv2.KeyPoint(float(x), float(y), 31.0, float(way)) for (x, y), way in zip(at, angles, strict=True)]
    detector: Any = cv2
    _, found = detector.ORB_create(nlevels=1).compute(light, points)
    return np.unpackbits(np.asarray(found, np.uint8), axis=1).astype(np.float32)


def _angles(light: np.ndarray, grid: int, side: int) -> np.ndarray:
    """Degrees from each place to where the light around it weighs most (Rosin 1999)."""
    import cv2

    along = np.arange(-15, 16, dtype=np.float32)
    round_patch = (along[:, None] ** 2 + along[None] ** 2 <= 15.5**2).astype(np.float32)
    plane = light.astype(np.float32)
    right = np.asarray(cv2.filter2D(plane, cv2.CV_32F, round_patch * along[None]))
    down = np.asarray(cv2.filter2D(plane, cv2.CV_32F, round_patch * along[:, None]))
    places = ((np.arange(grid) + 0.5) * (side / grid) + _ROOM).astype(np.int64)
    found = np.arctan2(np.rint(down[np.ix_(places, places)]), np.rint(right[np.ix_(places, places)]))
    return np.asarray(np.rint(np.degrees(found).ravel()) % 360)


@cache
def _points(grid: int, side: int) -> tuple[Any, ...]:
    import cv2

    step = side / grid
    places = (np.arange(grid) + 0.5) * step
    return tuple(cv2.KeyPoint(float(x), float(y), float(step), 0.0) for y in places for x in places)
