"""Bicubic interpolation as the literature on enlarging pictures knows it (Keys 1981, a = -1/2).

It is what MATLAB's `imresize` does, so that figures compare with published ones: the kernel widens as the picture
shrinks, edges are mirrored, values are rounded and clipped to the depth.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from sightline.core.depth import span


def bicubic(pixels: np.ndarray, size: tuple[int, int], *, antialias: bool = True) -> np.ndarray:
    """Rows, columns, channels at another size, depth kept; `antialias` widens the kernel where the picture shrinks."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    low, top = span(pixels)
    made = np.asarray(pixels, np.float32 if pixels.dtype != np.float64 else np.float64)
    order = (0, 1) if size[0] / pixels.shape[0] <= size[1] / pixels.shape[1] else (1, 0)
    for axis in order:
        made = _along(made, axis, size[axis], antialias)
    if pixels.dtype.kind == "u":
        return np.clip(np.rint(made, out=made), low, top, out=made).astype(pixels.dtype)
    return made.astype(pixels.dtype, copy=False)


def smaller(pixels: np.ndarray, by: int) -> np.ndarray:
    """A picture whose sides are `by` times as short; what is no multiple is cut off at the end first."""
    rows, columns = (max(1, side // by) for side in pixels.shape[:2])
    return bicubic(pixels[: rows * by, : columns * by], (rows, columns))


def larger(pixels: np.ndarray, by: int) -> np.ndarray:
    """A picture whose sides are `by` times as long."""
    return bicubic(pixels, (pixels.shape[0] * by, pixels.shape[1] * by))


def _along(values: np.ndarray, axis: int, length: int, antialias: bool) -> np.ndarray:
    have = values.shape[axis]
    if have == length:
        return values
    step = have // length if have % length == 0 else 0
    grown = length // have if length % have == 0 else 0
    if grown and have >= 4:
        return _grown(values, axis, grown)
    places, weights = _taps(have, length, antialias)
    moved = values if axis == 0 else values.swapaxes(0, 1)
    made = np.zeros((length, *moved.shape[1:]), values.dtype)
    for tap in range(weights.shape[1]):
        line = places[:, tap]
        part = moved[line] if not step or (np.diff(line) != step).any() else moved[line[0] : line[-1] + 1 : step]
        made += part * weights[:, tap].reshape(-1, *[1] * (made.ndim - 1))
    return made if axis == 0 else np.ascontiguousarray(made.swapaxes(0, 1))


def _grown(values: np.ndarray, axis: int, by: int) -> np.ndarray:
    """By a whole number: each of `by` phases is one short filter over the picture."""
    import cv2

    shape = list(values.shape)
    shape[axis] *= by
    made = np.empty(shape, values.dtype)
    for phase in range(by):
        offset = (phase + 0.5) / by - 0.5
        kernel = _cubic(np.arange(-2, 3) - offset).astype(np.float64)
        kernel /= kernel.sum()
        taps = kernel.reshape((-1, 1) if axis == 0 else (1, -1))
        for channel in range(0, shape[2], 4):
            part = np.ascontiguousarray(values[..., channel : channel + 4])
            soft = cv2.filter2D(part, -1, taps, borderType=cv2.BORDER_REFLECT)
            soft = soft.reshape(part.shape)
            if axis == 0:
                made[phase::by, :, channel : channel + 4] = soft
            else:
                made[:, phase::by, channel : channel + 4] = soft
    return made


def _cubic(far: np.ndarray) -> np.ndarray:
    """The kernel of Keys at these distances."""
    x = np.abs(far)
    near = (1.5 * x - 2.5) * x * x + 1
    edge = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.asarray(np.where(x <= 1, near, np.where(x < 2, edge, 0.0)))


@lru_cache(64)
def _taps(have: int, length: int, antialias: bool) -> tuple[np.ndarray, np.ndarray]:
    """Which places of a line each place of another is made of, and how much each counts."""
    scale = length / have
    wide = 1 / scale if antialias and scale < 1 else 1.0
    middle = (np.arange(length) + 0.5) / scale - 0.5
    count = math.ceil(4 * wide) + 2
    first = np.floor(middle - 2 * wide).astype(np.int64)
    places = first[:, None] + np.arange(count)
    weights = _cubic((middle[:, None] - places) / wide)
    weights /= weights.sum(1, keepdims=True)
    mirror = np.concatenate([np.arange(have), np.arange(have)[::-1]])
    used = np.abs(weights).max(0) > 0
    return mirror[places[:, used] % (2 * have)], weights[:, used].astype(np.float32)
