"""Filters that sharpen: what a blur would take away is added once more."""

from __future__ import annotations

import numpy as np

from sightline.core.asked import within
from sightline.core.depth import from_unit, span, unit
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import blurred


@on_pixels
def sharpen(image: np.ndarray, *, amount: float = 1.0, sigma: float = 1.0, threshold: float = 0.0) -> np.ndarray:
    """Unsharp mask: `amount` times the difference to a blur of `sigma` pixels, where it is at least `threshold`.

    `threshold` is in levels of 8 bits; a few keep noise from being sharpened too.
    """
    import cv2

    within("sharpen", 0, 20, amount=amount)
    within("sharpen", 0.01, 1000, sigma=sigma)
    within("sharpen", 0, 255, threshold=threshold)
    if image.dtype == np.uint8 and not threshold:
        soft = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        made = cv2.addWeighted(image, 1 + amount, soft.reshape(image.shape), -amount, 0)
        return np.asarray(made).reshape(image.shape)
    values = unit(image)
    detail = values - cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101).reshape(values.shape)
    if threshold:
        detail[np.abs(detail) < threshold / 255] = 0
    detail *= np.float32(amount)
    return from_unit(values + detail, image)


@on_pixels
def laplacian_sharpen(image: np.ndarray, *, amount: float = 0.5) -> np.ndarray:
    """The second derivative of the four neighbours taken away, `amount` times."""
    import cv2

    within("laplacian_sharpen", 0, 10, amount=amount)
    side = -float(amount)
    kernel = np.array([[0, side, 0], [side, 1 - 4 * side, side], [0, side, 0]], np.float32)
    made = np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101)).reshape(image.shape)
    return np.clip(made, *span(image), out=made) if image.dtype == np.float32 else made


@on_pixels
def high_pass(image: np.ndarray, *, sigma: float = 3.0, gain: float = 1.0) -> np.ndarray:
    """Only detail finer than `sigma` pixels, around mid gray."""
    within("high_pass", 0.1, 1000, sigma=sigma)
    within("high_pass", 0, 100, gain=gain)
    values = unit(image)
    values -= blurred(values, sigma)
    values *= np.float32(gain)
    values += np.float32(0.5)
    return from_unit(values, image)
