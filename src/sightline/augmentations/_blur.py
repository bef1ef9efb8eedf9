"""Kernels and layers of lenses, glass and movement."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from sightline.augmentations._pixels import filtered, smoothed
from sightline.core.resampling import resize

_DIRECT = 120  # weights up to which OpenCV goes through a kernel one by one, skipping those that are nought


@lru_cache(maxsize=64)
def disc(radius: float, soft: float) -> np.ndarray:
    """A disc of weights that sum to one, its rim softened; rows and columns that hold nothing are cut off."""
    reach = max(8, int(np.ceil(radius)))
    line = np.arange(-reach, reach + 1)
    kernel = ((line[:, None] ** 2 + line[None] ** 2) <= radius**2).astype(np.float32)
    wide = 3 if radius <= 8 else 5
    kernel = cv2.GaussianBlur(kernel / kernel.sum(), (wide, wide), soft)
    return _tight(kernel)


def streak(radius: float, deviation: float, degrees: float) -> list[tuple[int, int, float]]:
    """Half a Gaussian laid along a line, in whole pixels: down, right and weight of each step."""
    steps = np.arange(2 * round(radius) + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2))
    weights /= weights.sum()
    kept = weights > 1e-3 * weights[0]
    sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    down, right = np.ceil(steps * sin - 0.5).astype(int), np.ceil(steps * cos - 0.5).astype(int)
    total = weights[kept].sum()
    rows = zip(down[kept].tolist(), right[kept].tolist(), (weights[kept] / total).tolist(), strict=True)
    return list(rows)


def smeared(pixels: np.ndarray, steps: list[tuple[int, int, float]]) -> np.ndarray:
    """Every pixel along its streak: directly where the streak is short, else as a sum of shifted copies."""
    high, wide = max(abs(row[0]) for row in steps), max(abs(row[1]) for row in steps)
    down, right = min(row[0] for row in steps), min(row[1] for row in steps)
    if (high + 1) * (wide + 1) <= _DIRECT and pixels.shape[0] > high and pixels.shape[1] > wide:
        kernel = np.zeros((high + 1, wide + 1), np.float32)
        for y, x, weight in steps:
            kernel[y - down, x - right] += weight
        edge = cv2.BORDER_REPLICATE
        return np.asarray(
            cv2.filter2D(pixels, -1, kernel, anchor=(-right, -down), borderType=edge).reshape(pixels.shape)
        )
    rows, columns = pixels.shape[:2]
    wider = np.pad(pixels, ((high, high), (wide, wide), (0, 0)), "edge")
    wider = wider.reshape(len(wider), -1).astype(np.float32)
    total = np.zeros((rows, columns * pixels.shape[2]), np.float32)
    for y, x, weight in steps:
        left = (wide + x) * pixels.shape[2]
        cv2.scaleAdd(wider[high + y : high + y + rows, left : left + total.shape[1]], weight, total, total)
    total = total.reshape(pixels.shape)
    return (np.rint(total, out=total) if pixels.dtype.kind == "u" else total).astype(pixels.dtype, copy=False)


def _tight(kernel: np.ndarray) -> np.ndarray:
    """The smallest middle part that holds nearly all of the weight."""
    middle = len(kernel) // 2
    far = np.abs(np.argwhere(kernel > 2e-4) - middle)
    rows, columns = far.max(0)
    kept = kernel[middle - rows : middle + rows + 1, middle - columns : middle + columns + 1]
    return np.ascontiguousarray(kept / kept.sum(), np.float32)


def through(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A kernel of up to some twenty pixels, also where the picture is smaller than that."""
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    if pixels.shape[0] > rows and pixels.shape[1] > columns:
        return filtered(pixels, kernel)
    padded = np.pad(pixels, ((rows, rows), (columns, columns), (0, 0)), "edge")
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
    rows, columns, channels = pixels.shape
    total = np.zeros((rows, columns * channels), np.float32)
    flat = total.shape
    cv2.accumulate(np.ascontiguousarray(pixels).reshape(flat), total)
    for factor in factors.tolist():
        high, wide = int(np.ceil(rows / factor)), int(np.ceil(columns / factor))
        top, left = (rows - high) // 2, (columns - wide) // 2
        larger = resize(pixels[top : top + high, left : left + wide], (rows, columns))
        cv2.accumulate(np.ascontiguousarray(larger).reshape(flat), total)
    total *= np.float32(1 / (len(factors) + 1))
    if pixels.dtype.kind == "u":
        np.rint(total, out=total)
    return total.reshape(pixels.shape).astype(pixels.dtype, copy=False)
