"""Features of places: a descriptor for each point of a grid; a model learns which of them are words."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from sightline.features._light import gray, resized


def sift(image: np.ndarray, *, grid: int = 8, side: int = 64) -> np.ndarray:
    """(grid * grid, 128): upright SIFT on a dense grid, root of shares (Lowe 2004; Arandjelovic 2012)."""
    import cv2

    shown = resized(gray(image), side, side)
    light = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)  # OpenCV knows SIFT for bytes only
    detector: Any = cv2
    _, found = detector.SIFT_create().compute(light, _points(grid, side))
    found = np.maximum(np.asarray(found, np.float32), 0)
    return np.asarray(np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6)), np.float32)


@cache
def _points(grid: int, side: int) -> tuple[Any, ...]:
    import cv2

    step = side / grid
    places = (np.arange(grid) + 0.5) * step
    return tuple(cv2.KeyPoint(float(x), float(y), float(step), 0.0) for y in places for x in places)
