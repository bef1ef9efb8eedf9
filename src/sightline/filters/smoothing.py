"""Filters that smooth."""

from __future__ import annotations

import numpy as np

from sightline.filters._pixels import on_pixels
from sightline.filters._settings import number


@on_pixels
def gaussian(image: np.ndarray, *, sigma: float = 1.0) -> np.ndarray:
    """Every pixel becomes the mean of its neighbours, weighed by a bell of `sigma` pixels."""
    import cv2

    number("gaussian", "sigma", sigma, 0, 1000, above=True)
    made = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(made).reshape(image.shape)
