"""Filters that leave black and white: one channel, white where the picture is lighter than a level."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.asked import number, whole, word
from sightline.filters._pixels import black_and_white, chosen, ends, light, on_any_pixels, on_pixels
from sightline.filters._tables import in_bins

_WIDEST = 999


@on_any_pixels
def threshold(image: np.ndarray, *, level: float = 0.5) -> np.ndarray:
    """White where it is lighter than a part of the range; channels become one."""
    return black_and_white(chosen(image, number("threshold", "level", level, 0, 1)), image)


@on_pixels
def otsu(image: np.ndarray) -> np.ndarray:
    """White where it is lighter than the level that parts it into two groups, each as even as can be (Otsu 1979)."""
    low, top = ends(image)
    plane = light(image)
    if image.dtype == np.uint8:
        return np.asarray(cv2.threshold(plane, 0, 255, cv2.THRESH_OTSU)[1]).reshape(*plane.shape, 1)
    level, made = cv2.threshold(in_bins(plane), 0, 65535, cv2.THRESH_OTSU)
    if image.dtype.kind == "u":
        return np.asarray(made).reshape(*plane.shape, 1)
    return black_and_white(plane > np.float32((level + 0.5) / 65535 * (top - low) + low), image)


@on_pixels
def adaptive(image: np.ndarray, *, window: int = 31, offset: float = 0.03, way: str = "mean") -> np.ndarray:
    """White where it is lighter than its neighbourhood less `offset` of the range; ways: mean, gaussian.

    For uneven light. `window` is an odd number of pixels.
    """
    size = whole("adaptive", "window", window, 3, _WIDEST, odd=True)
    number("adaptive", "offset", offset, -1, 1)
    word("adaptive", "way", way, ("mean", "gaussian"))
    low, top = ends(image)
    plane = light(image)
    edge = cv2.BORDER_REPLICATE
    if image.dtype == np.uint8:
        method = cv2.ADAPTIVE_THRESH_MEAN_C if way == "mean" else cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        made = cv2.adaptiveThreshold(plane, 255, method, cv2.THRESH_BINARY, size, round(offset * 255, 6))
        return np.asarray(made).reshape(*plane.shape, 1)
    if way == "mean":
        around = cv2.boxFilter(plane, -1, (size, size), borderType=edge)
    else:
        around = cv2.GaussianBlur(plane, (size, size), 0, borderType=edge)
    # lighter than around - offset, without a number below 0
    least = offset * (top - low)
    if plane.dtype.kind == "f":
        return black_and_white(np.asarray(plane > np.asarray(around).reshape(plane.shape) - np.float32(least)), image)
    gap = cv2.subtract(plane, around, dtype=cv2.CV_32S)
    return black_and_white(np.asarray(gap).reshape(plane.shape) > -least, image)


@on_pixels
def sauvola(image: np.ndarray, *, window: int = 31, k: float = 0.2) -> np.ndarray:
    """White where it is lighter than mean (1 + k (deviation / half the range - 1)) of its window (Sauvola 2000).

    For text on stained paper. `window` is an odd number of pixels.
    """
    size = whole("sauvola", "window", window, 3, _WIDEST, odd=True)
    number("sauvola", "k", k, -10, 10)
    low, top = ends(image)
    plane = light(image)
    values = plane.astype(np.float32)
    values -= np.float32(low)
    values *= np.float32(1 / (top - low))
    edge = cv2.BORDER_REFLECT_101
    mean = cv2.boxFilter(values, cv2.CV_64F, (size, size), borderType=edge)
    square = cv2.sqrBoxFilter(values, cv2.CV_64F, (size, size), borderType=edge)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    spread *= 2 * k
    spread += 1 - k
    spread *= mean
    return black_and_white(np.asarray(values > spread.reshape(plane.shape)), image)
