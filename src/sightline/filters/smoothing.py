"""Filters that smooth."""

from __future__ import annotations

import numpy as np

from sightline.core.errors import SettingsError
from sightline.filters._pixels import on_pixels


@on_pixels
def gaussian(image: np.ndarray, *, sigma: float = 1.0) -> np.ndarray:
    """Every pixel becomes the mean of its neighbours, weighed by a bell of `sigma` pixels."""
    import cv2

    if not 0 < sigma <= 1000:
        raise SettingsError(f"gaussian: sigma = {sigma}: must be above 0 and at most 1000.")
    made = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(made).reshape(image.shape)
