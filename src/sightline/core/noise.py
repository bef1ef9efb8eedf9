"""How much noise a picture has, told from the picture alone."""

from __future__ import annotations

import math

import numpy as np

_FOURTH = np.array([1, -4, 6, -4, 1], np.float32)  # fourth differences: nothing is left of slopes and slow waves
_GAIN = 70.0  # of white noise, across and down: the sum of the squares, 70, as the root of 70 x 70
_NORMAL = 0.6745  # median of the absolute values of a standard normal


def noise_level(plane: np.ndarray) -> float:
    """Standard deviation of white noise in rows and columns of numbers, in their unit; NaN of less than 8 x 8.

    The median of the fourth differences across and down (Donoho's rule of 1994 on a detail finer than Haar's): edges
    hardly move a median, and fine texture hardly reaches so high a detail.
    """
    import cv2

    if min(plane.shape[:2]) < 8:
        return math.nan
    wide = plane.astype(np.float32, copy=False)
    detail = cv2.sepFilter2D(wide, cv2.CV_32F, _FOURTH, _FOURTH)[2:-2, 2:-2]
    size = np.abs(detail, out=detail).ravel()
    half = size.size // 2
    return float(np.partition(size, half)[half]) / _GAIN / _NORMAL
