"""Kernels and layers of lenses, glass and movement."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from sightline.augmentations._pixels import filtered, from_unit, smoothed, unit


@lru_cache(maxsize=64)
def disc(radius: float, soft: float) -> np.ndarray:
    """A disc of weights that sum to one, its rim softened; rows and columns that hold nothing are cut off."""
    reach = max(8, int(np.ceil(radius)))
    line = np.arange(-reach, reach + 1)
    kernel = ((line[:, None] ** 2 + line[None] ** 2) <= radius**2).astype(np.float32)
    wide = 3 if radius <= 8 else 5
    kernel = cv2.GaussianBlur(kernel / kernel.sum(), (wide, wide), soft)
    return _tight(kernel)


def streak(radius: float, deviation: float, degrees: float) -> np.ndarray:
    """Half a Gaussian laid along a line from the middle, in whole pixels."""
    width = 2 * round(radius) + 1
    weights = np.exp(-(np.arange(width) ** 2) / (2 * deviation**2))
    weights /= weights.sum()
    kernel = np.zeros((2 * width + 1, 2 * width + 1), np.float32)
    sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    for step, weight in enumerate(weights.tolist()):
        kernel[width + int(np.ceil(step * sin - 0.5)), width + int(np.ceil(step * cos - 0.5))] += weight
    return _tight(kernel)


def _tight(kernel: np.ndarray) -> np.ndarray:
    """The smallest middle part that holds nearly all of the weight."""
    middle = len(kernel) // 2
    far = np.abs(np.argwhere(kernel > 2e-4) - middle)
    rows, columns = far.max(0)
    kept = kernel[middle - rows : middle + rows + 1, middle - columns : middle + columns + 1]
    return np.ascontiguousarray(kept / kept.sum(), np.float32)


def through(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A kernel of up to some forty pixels, also where the picture is smaller than that."""
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    if pixels.shape[0] > rows and pixels.shape[1] > columns:
        return filtered(pixels, kernel)
    wide = ((rows, rows), (columns, columns), (0, 0))
    padded = np.pad(pixels, wide, "edge")
    return np.ascontiguousarray(
        filtered(padded, kernel)[rows : rows + len(pixels), columns : columns + pixels.shape[1]]
    )


def glass(pixels: np.ndarray, rng: np.random.Generator, deviation: float, reach: int, times: int) -> np.ndarray:
    """Softened, shuffled with pixels at most `reach` away, softened."""
    rows, columns = pixels.shape[:2]
    x, y = np.arange(columns, dtype=np.int32), np.arange(rows, dtype=np.int32)[:, None]
    made = smoothed(pixels, deviation)
    for _ in range(times):
        away = rng.integers(-reach, reach, (2, rows, columns), np.int8)
        places = np.clip(y + away[0], 0, rows - 1) * np.int32(columns) + np.clip(x + away[1], 0, columns - 1)
        made = made.reshape(rows * columns, -1).take(places.reshape(-1), 0).reshape(pixels.shape)
    return smoothed(made, deviation)


def zoomed(pixels: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The mean of the picture and of copies of it, each enlarged about the middle."""
    rows, columns = pixels.shape[:2]
    total = unit(pixels)
    base = total.copy()
    for factor in factors.tolist():
        matrix = np.array([[factor, 0, (1 - factor) * (columns - 1) / 2], [0, factor, (1 - factor) * (rows - 1) / 2]])
        for first in range(0, pixels.shape[2], 4):
            part = np.ascontiguousarray(base[..., first : first + 4])
            got = cv2.warpAffine(part, matrix, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            total[..., first : first + 4] += got.reshape(part.shape)
    total *= np.float32(1 / (len(factors) + 1))
    return from_unit(total, pixels)
