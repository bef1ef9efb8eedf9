"""Filters that smooth: evenly, or only where there is no edge."""

from __future__ import annotations

import numpy as np

from sightline.core.asked import wholes, within
from sightline.core.depth import from_unit, unit
from sightline.filters._noise import spread
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import each, guided_by


@on_pixels
def gaussian(image: np.ndarray, *, sigma: float = 1.0) -> np.ndarray:
    """Every pixel becomes the mean of its neighbours, weighed by a bell of `sigma` pixels."""
    import cv2

    within("gaussian", 0.01, 1000, sigma=sigma)
    made = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(made).reshape(image.shape)


@on_pixels
def box(image: np.ndarray, *, radius: int = 1) -> np.ndarray:
    """Every pixel becomes the plain mean of the square that reaches `radius` pixels from it."""
    import cv2

    wholes("box", 0, 1000, radius=radius)
    made = cv2.blur(image, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(made).reshape(image.shape)


@on_pixels
def median(image: np.ndarray, *, radius: int = 1) -> np.ndarray:
    """Every pixel becomes the middle value of the square around it: specks go, edges stay."""
    import cv2

    wholes("median", 0, 100, radius=radius)
    size = 2 * radius + 1
    if size == 1:
        return image.copy()
    if size <= 5 or image.dtype == np.uint8:
        if image.shape[2] in (1, 3, 4):
            return np.asarray(cv2.medianBlur(image, size)).reshape(image.shape)
        return each(image, lambda plane: np.asarray(cv2.medianBlur(plane, size)))
    from scipy import ndimage

    return each(image, lambda plane: np.asarray(ndimage.median_filter(plane, size, mode="nearest")))


@on_pixels
def bilateral(image: np.ndarray, *, sigma: float = 1.7, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """The mean of near pixels of like colour: `sigma` pixels wide, alike within the noise.

    `noise` is in levels of 8 bits, 0: measured. Three channels are compared together, others each by itself. Pixels of
    8 bits are smoothed in 8 bits, deeper ones as floats.
    """
    import cv2

    within("bilateral", 0.1, 50, sigma=sigma)
    tone = 2.4 * spread("bilateral", image, noise, strength)
    reach = 2 * round(2 * sigma) + 1
    if tone <= 0:
        return image.copy()
    deep = image.dtype != np.uint8

    def smooth(pixels: np.ndarray) -> np.ndarray:
        """Three channels are as far apart as the sum of their distances."""
        apart = tone * (1.6 if pixels.ndim == 3 and pixels.shape[2] == 3 else 1.0) * (1 if deep else 255)
        return np.asarray(cv2.bilateralFilter(pixels, reach, apart, sigma, borderType=cv2.BORDER_REFLECT_101))

    given = unit(image) if deep else image
    made = smooth(given).reshape(image.shape) if image.shape[2] in (1, 3) else each(given, smooth)
    return from_unit(made, image) if deep else made


@on_pixels
def guided(image: np.ndarray, *, radius: int = 2, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """The picture as a straight line of itself in every window (He et al. 2010): flat where it varies less than noise.

    `noise` is in levels of 8 bits, 0: measured.
    """
    wholes("guided", 1, 200, radius=radius)
    values = unit(image)
    level = 1.8 * spread("guided", values, noise, strength)
    return from_unit(each(values, lambda plane: guided_by(plane, plane, radius, level * level + 1e-12)), image)


@on_pixels
def anisotropic(image: np.ndarray, *, steps: int = 5, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """Colour flows between neighbours, but not across edges (Perona and Malik 1990), for some `steps`.

    `noise` is in levels of 8 bits, 0: measured. All channels share their edges.
    """
    wholes("anisotropic", 0, 500, steps=steps)
    edge = 1.7 * spread("anisotropic", image, noise, strength)
    if edge <= 0 or not steps:
        return image.copy()
    values = unit(image)
    for _ in range(steps):
        change = np.zeros_like(values)
        for axis in (0, 1):
            slope = np.diff(values, axis=axis)
            size = np.mean(slope * slope, 2, keepdims=True, dtype=np.float32)
            slope *= 0.2 / (1 + size / np.float32(edge * edge))
            near, far = (
                (slice(None, -1), slice(1, None))
                if axis == 0
                else ((slice(None), slice(None, -1)), (slice(None), slice(1, None)))
            )
            change[near] += slope
            change[far] -= slope
        values += change
    return from_unit(values, image)
