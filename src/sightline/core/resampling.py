"""Pixels at another size or along an affine move: smooth where they shrink, linear where they grow, depth kept.

A picture that shrinks is softened before it is interpolated, by a short kernel whose spread is what the triangle filter
of that reduction lacks after linear interpolation. It is within a level of Pillow's and torch's antialiased resize.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

WAYS = ("smooth", "fast", "area")  # antialiased; linear alone; the mean of what a pixel covers, as format 1 knew it
_HALVE = 4.0  # source pixels a target pixel from which on whole blocks of two are averaged first
_CHANNELS = 4  # as many as OpenCV's resize takes for every way

Pair = tuple[float, float]
Affine = tuple[float, float, float, float, float, float]  # x, y -> ax + by + c, dx + ey + f
STILL: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def after(second: Affine, first: Affine) -> Affine:
    """Both moves in one."""
    a, b, c, d, e, f = second
    g, h, i, j, k, l = first  # noqa: E741
    return (a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f)


def inverse(move: Affine) -> Affine:
    """The way back."""
    a, b, c, d, e, f = move
    by = a * e - b * d
    return (e / by, -b / by, (b * f - c * e) / by, -d / by, a / by, (c * d - a * f) / by)


def resize(pixels: np.ndarray, size: tuple[int, ...], way: str = "smooth", *, reduced: Pair = (1.0, 1.0)) -> np.ndarray:
    """Pixels at another size; `reduced` says by what their decoder has averaged rows and columns already."""
    if pixels.shape[:-1] == tuple(size):
        return pixels
    if len(size) != 2:
        return _volume(pixels, size)
    import cv2

    rows, columns = pixels.shape[:2]
    steps = (rows / size[0], columns / size[1])
    if way == "smooth":
        pixels, halved = soften(pixels, steps, reduced)
        if (pixels.shape[0] * halved[0], pixels.shape[1] * halved[1]) != (rows, columns):
            back = (steps[1] / halved[1], 0, 0, 0, steps[0] / halved[0], 0)  # an odd row or column was left over
            return _sampled(pixels, back, (size[0], size[1]), cv2.BORDER_REPLICATE)
    area = way == "area" and size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    return _by_channels(
        pixels, lambda part: cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR)
    )


def warp(
    pixels: np.ndarray,
    back: Affine,
    size: tuple[int, int],
    way: str = "smooth",
    *,
    border: str = "edge",
    fill: float = 0.0,
    reduced: Pair = (1.0, 1.0),
) -> np.ndarray:
    """What a move from target to source shows of the pixels; edges lie at 0 and at the width."""
    import cv2

    if way != "fast":
        pixels, halved = soften(pixels, (math.hypot(*back[3:5]), math.hypot(*back[:2])), reduced)
        back = after((1 / halved[1], 0, 0, 0, 1 / halved[0], 0), back)
    kinds = {"edge": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT_101, "fill": cv2.BORDER_CONSTANT}
    return _sampled(pixels, back, size, kinds[border], fill)


def _sampled(pixels: np.ndarray, back: Affine, size: tuple[int, int], border: int, fill: float = 0.0) -> np.ndarray:
    """Linear interpolation where the middles of the target's pixels lie in the source."""
    import cv2

    a, b, c, d, e, f = back
    inner = np.array([[a, b, c + (a + b - 1) / 2], [d, e, f + (d + e - 1) / 2]])  # first middle at a half
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    value = (fill,) * _CHANNELS
    return _by_channels(
        pixels, lambda p: cv2.warpAffine(p, inner, size[::-1], flags=flags, borderMode=border, borderValue=value)
    )


def soften(pixels: np.ndarray, steps: Pair, reduced: Pair = (1.0, 1.0)) -> tuple[np.ndarray, Pair]:
    """Pixels that may be interpolated linearly at these steps without aliasing, and by what each axis was halved."""
    import cv2

    down = across = 1.0
    while (tall := steps[0] / down >= _HALVE and len(pixels) > 1) or (
        steps[1] / across >= _HALVE and pixels.shape[1] > 1
    ):
        wide = steps[1] / across >= _HALVE and pixels.shape[1] > 1
        pixels = _halved(pixels, 1 + tall, 1 + wide)
        down, across = down * (1 + tall), across * (1 + wide)
    rows, columns = _spread(steps[0] / down, down * reduced[0]), _spread(steps[1] / across, across * reduced[1])
    if rows or columns:
        soft = cv2.sepFilter2D(
            pixels, -1, taps(round(columns, 3)), taps(round(rows, 3)), borderType=cv2.BORDER_REPLICATE
        )
        pixels = soft if soft.ndim == 3 else soft[..., None]
    return pixels, (down, across)


def _halved(pixels: np.ndarray, down: int, across: int) -> np.ndarray:
    """The mean of blocks of one or two rows and columns; what is left over at the end is dropped."""
    import cv2

    to = (pixels.shape[1] // across, pixels.shape[0] // down)
    whole = pixels[: to[1] * down, : to[0] * across]
    return _by_channels(whole, lambda part: cv2.resize(part, to, interpolation=cv2.INTER_AREA))


def _spread(step: float, averaged: float) -> float:
    """The variance, in pixels as they are now, that a triangle filter has beyond interpolation and averaging."""
    return max(0.0, (step * step - 1) / 6 - (1 - averaged**-2) / 12) if step > 1 else 0.0


@lru_cache(256)
def taps(variance: float) -> np.ndarray:
    """A smooth kernel of this variance: three taps, or several times three in a row."""
    times = max(1, math.ceil(variance / 0.5))
    side = variance / times / 2
    kernel = np.ones(1)
    for _ in range(times):
        kernel = np.convolve(kernel, [side, 1 - 2 * side, side])
    return kernel.astype(np.float32)


def _by_channels(pixels: np.ndarray, change: Any) -> np.ndarray:
    """A change of OpenCV's for any number of channels."""
    count = pixels.shape[-1]
    if count <= _CHANNELS:
        made: np.ndarray = change(pixels)
        return made if made.ndim == 3 else made[..., None]
    parts = (np.ascontiguousarray(pixels[..., first : first + _CHANNELS]) for first in range(0, count, _CHANNELS))
    return np.concatenate([made if (made := change(p)).ndim == 3 else made[..., None] for p in parts], -1)


def _volume(pixels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    from scipy import ndimage

    factors = [to / was for to, was in zip(size, pixels.shape[:-1], strict=True)]
    grown = ndimage.zoom(pixels.astype(np.float32), (*factors, 1), order=1, mode="nearest", grid_mode=True)
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else None
    return np.asarray(grown if top is None else np.clip(np.rint(grown), 0, top)).astype(pixels.dtype)
