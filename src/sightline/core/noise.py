"""How much noise a picture has, told from the picture alone."""

from __future__ import annotations

import math

import numpy as np

_FOURTH = np.array([1, -4, 6, -4, 1], np.float32)  # fourth differences: nothing is left of slopes and slow waves
_GAIN = 70.0  # of white noise, across and down: the sum of the squares, 70, as the root of 70 x 70
_EVEN = 0.8  # share of a picture that is looked at: where it is least steep
_ENOUGH = 25_000  # pixels tell it within two hundredths
_NORMAL = 0.6745  # median of the absolute values of a standard normal


def noise_level(plane: np.ndarray) -> float:
    """Standard deviation of white noise in rows and columns of numbers, in their unit; NaN of less than 8 x 8.

    The median of the fourth differences across and down (Donoho's rule of 1994 on a detail finer than Haar's), where
    a blur of the picture does not show its strongest edges: fine texture hardly reaches so high a detail.
    """
    import cv2

    if min(plane.shape[:2]) < 8:
        return math.nan
    wide = plane.astype(np.float32, copy=False)
    detail = cv2.sepFilter2D(wide, cv2.CV_32F, _FOURTH, _FOURTH)
    soft = cv2.GaussianBlur(wide, (9, 9), 2)
    steep = cv2.magnitude(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    steep = cv2.dilate(steep, np.ones((3, 3), np.uint8))
    step = max(1, math.isqrt(plane.size // _ENOUGH))
    seen = np.s_[2:-2:step, 2:-2:step]
    size, slope = np.abs(detail[seen]), steep[seen]
    return _largest(size[slope <= _largest(slope, _EVEN)], 0.5) / _GAIN / _NORMAL


def _largest(values: np.ndarray, share: float) -> float:
    """The largest of the smallest `share` of the values."""
    place = min(values.size - 1, int(share * values.size))
    return float(np.partition(values, place, axis=None)[place])
