"""Any number of channels for libraries that take one to four."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def each(pixels: np.ndarray, edit: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Rows and columns edited channel by channel."""
    made = [edit(np.ascontiguousarray(pixels[..., channel])) for channel in range(pixels.shape[2])]
    return np.stack([np.asarray(plane).reshape(pixels.shape[:2]) for plane in made], 2)


def gray_of(values: np.ndarray) -> np.ndarray:
    """Luma (BT.601) of three channels, the mean of others; float32 rows and columns."""
    import cv2

    if values.shape[2] == 3:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(values), cv2.COLOR_RGB2GRAY))
    return np.ascontiguousarray(values[..., 0]) if values.shape[2] == 1 else values.mean(2, dtype=np.float32)


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian of any width over float32 rows, columns (and channels); a wide one is made on a smaller picture.

    A sum of many boxes of the smaller picture, so the error against the true bell stays below a hundredth of the range.
    """
    import cv2

    rows, columns = values.shape[:2]
    step = max(1, min(int(sigma / 4), rows // 8, columns // 8))
    if step == 1:
        made = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(made).reshape(values.shape)
    size = (-(-columns // step), -(-rows // step))
    small = each_of(values, lambda plane: cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT_101))
    small = small.reshape(size[1], size[0], *values.shape[2:])
    return each_of(small, lambda plane: cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_CUBIC))


def each_of(values: np.ndarray, edit: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Whole where one to four channels are known, else channel by channel; two axes stay two."""
    if values.ndim == 2 or values.shape[2] in (1, 3, 4):
        made = np.asarray(edit(values))
        return made if values.ndim == made.ndim else made[..., None]
    return np.stack([np.asarray(edit(np.ascontiguousarray(plane))) for plane in np.moveaxis(values, 2, 0)], 2)


def guided_by(guide: np.ndarray, values: np.ndarray, radius: int, least: float) -> np.ndarray:
    """He et al. 2010: rows and columns made a straight line of the guide in every window, so that edges stay."""
    import cv2

    size = (2 * radius + 1, 2 * radius + 1)

    def mean(plane: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REFLECT))

    middle, answer = mean(guide), mean(values)
    spread = mean(guide * guide) - middle * middle
    slope = (mean(guide * values) - middle * answer) / (np.maximum(spread, 0) + np.float32(least))
    return np.asarray(mean(slope) * guide + mean(answer - slope * middle))


def relit(values: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Every pixel as many times lighter as its gray became; hue and saturation stay, no channel goes above white."""
    gain = new / np.maximum(old, np.float32(1 / 1024))
    if values.shape[2] > 1:
        np.minimum(gain, 1 / np.maximum(values.max(2), np.float32(1 / 1024)), out=gain)
    return np.asarray(values * gain[..., None])
