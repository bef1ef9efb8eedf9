"""A mark that no eye sees: thousands of middle-sized waves of a picture, each pushed up or down as a key says.

The picture is looked at as a square of fixed size, so that another size or shape of it has the same waves; not so one
that was cut, turned or mirrored. What is found is a number of standard deviations: of a picture without the mark (or
with another key) it is drawn from the standard normal, whatever the picture, since signs are by chance and apart.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from sightline.core.chance import generator

SIDE = 512  # rows and columns of the square
LOW, HIGH = 48, 144  # half waves across the square that carry the mark
FOUND = 5.0  # standard deviations from which a mark is taken as found: by chance once in three million


@lru_cache(8)
def _signs(key: str) -> np.ndarray:
    """Up or down for each of the lowest waves; 0 for those that carry nothing."""
    count = HIGH + 1
    drawn = generator("invisible watermark", key).integers(0, 2, (count, count)).astype(np.float32) * 2 - 1
    far = np.hypot(*np.ogrid[:count, :count])
    drawn[(far < LOW) | (far > HIGH)] = 0
    drawn.setflags(write=False)
    return drawn


def mark(rows: int, columns: int, key: str) -> np.ndarray:
    """The mark of a key as rows and columns with a root mean square of about 1, to be added to every channel."""
    import cv2

    signs = _signs(key)
    waves = np.zeros((SIDE, SIDE), np.float32)
    waves[: HIGH + 1, : HIGH + 1] = signs * np.float32(SIDE / math.sqrt(float(np.count_nonzero(signs))))
    square = cv2.idct(waves)
    shrinking = rows < SIDE or columns < SIDE
    way = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (columns, rows), interpolation=way))


def busy(gray: np.ndarray) -> np.ndarray:
    """How much of a mark each place of a gray from 0 to 1 hides: half where it is even, twice where much happens."""
    import cv2

    size = max(3, max(gray.shape) // 64 | 1)
    mean = cv2.blur(gray, (size, size))
    spread = np.sqrt(np.maximum(cv2.blur(gray * gray, (size, size)) - mean * mean, 0))
    return np.asarray(np.clip(0.5 + 15 * spread, 0.5, 2.2))


def found(gray: np.ndarray, key: str) -> float:
    """Standard deviations by which the waves of a picture lean to the signs of a key."""
    import cv2

    shrinking = gray.shape[0] > SIDE or gray.shape[1] > SIDE
    way = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    square = cv2.resize(gray.astype(np.float32), (SIDE, SIDE), interpolation=way)
    signs = _signs(key)
    waves = cv2.dct(square)[: HIGH + 1, : HIGH + 1]
    usual = np.sqrt(np.maximum(cv2.blur(waves * waves, (9, 9)), 0)) + np.float32(1e-9)  # of the picture itself, here
    weighed = np.clip(waves, -2 * usual, 2 * usual) / (usual * usual) * (signs != 0)
    total = math.sqrt(float(np.sum(weighed.astype(np.float64) ** 2)))
    return float(np.sum(weighed * signs, dtype=np.float64)) / total if total > 0 else 0.0
