"""How close pixels are.

Published figures differ by convention, so each has its name: `psnr` and `ssim` compare all channels as they are (RGB),
`psnr_gray` compares luma of the full range (BT.601), `psnr_y` and `ssim_y` the Y of YCbCr from 16 to 235, as papers on
scaling and compression do. `border` leaves so many pixels out at every side, for protocols that shave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.core.tally import Tally, mean
from sightline.metrics._pairs import check_pairs, column, top_of

_MOST = 100.0  # dB; above what sixteen bits can tell apart, so that one perfect picture leaves the mean finite
_GRAY = np.array([0.299, 0.587, 0.114])
_Y = np.array([65.481, 128.553, 24.966]) / 255
_WINDOW, _SIGMA = 11, 1.5
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003
View = Callable[[np.ndarray, float], np.ndarray]


def mse(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """Mean over pictures of the mean squared difference of all numbers, in squared levels of the depth."""
    rows = _each(truths, predictions, border, _as_they_are, _mse)
    return Tally(rows, mean, "lower", limits=(0.0, math.inf))


def psnr(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """Mean over pictures of the peak signal-to-noise ratio in dB, over the full range of the depth, at most 100."""
    return _ratio(_each(truths, predictions, border, _as_they_are, _psnr))


def psnr_gray(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """The same of gray: 0.299 R + 0.587 G + 0.114 B over the full range (BT.601); of one channel, itself."""
    return _ratio(_each(truths, predictions, border, _gray, _psnr))


def psnr_y(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """The same of Y from 16 to 235 (BT.601, not rounded) with a peak of 255, as published for scaling and JPEG."""
    return _ratio(_each(truths, predictions, border, _luma, _psnr))


def ssim(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """Mean structural similarity (Wang et al. 2004): bell of 11 pixels and sigma 1.5, the mean over channels.

    Of pictures smaller than the window, with the largest odd window that fits.
    """
    return Tally(_each(truths, predictions, border, _as_they_are, _ssim), mean, "higher", limits=(-1.0, 1.0))


def ssim_y(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """The same of Y from 16 to 235, as published for scaling and JPEG."""
    return Tally(_each(truths, predictions, border, _luma, _ssim), mean, "higher", limits=(-1.0, 1.0))


def ms_ssim(truths: Sequence[Picture], predictions: Sequence[Picture], *, border: int = 0) -> Tally:
    """Structural similarity at five scales (Wang et al. 2003), each half of the one before; the mean over channels.

    Five scales need 176 pixels a side; smaller pictures are compared at as many as fit, with their weights made one.
    """
    return Tally(_each(truths, predictions, border, _as_they_are, _ms_ssim), mean, "higher", limits=(0.0, 1.0))


def _ratio(rows: np.ndarray) -> Tally:
    return Tally(rows, mean, "higher", limits=(-math.inf, _MOST))


def _each(
    truths: Sequence[Picture],
    predictions: Sequence[Picture],
    border: int,
    view: View,
    compare: Callable[[np.ndarray, np.ndarray, float], float],
) -> np.ndarray:
    """One number a picture, of what a view leaves of both."""
    check_pairs(truths, predictions)

    def one(truth: Picture, given: Picture) -> float:
        a, b = truth.pixels, given.pixels
        if a.shape != b.shape or a.dtype != b.dtype:
            raise InputError("mismatch", f"the true picture is {a.shape} {a.dtype}, the given one {b.shape} {b.dtype}.")
        if border:
            a, b = _shaved(a, border), _shaved(b, border)
        top = top_of(a.dtype)
        return compare(view(a.astype(np.float64), top), view(b.astype(np.float64), top), top)

    return column(one(*pair) for pair in zip(truths, predictions, strict=True))


def _shaved(pixels: np.ndarray, border: int) -> np.ndarray:
    rows, columns = pixels.shape[-3:-1]
    if border < 0 or 2 * border >= min(rows, columns):
        raise InputError("mismatch", f"a border of {border} leaves nothing of {rows} x {columns} pixels.")
    return pixels[..., border : rows - border, border : columns - border, :]


def _as_they_are(pixels: np.ndarray, top: float) -> np.ndarray:
    return pixels


def _gray(pixels: np.ndarray, top: float) -> np.ndarray:
    return (_colours(pixels) @ _GRAY)[..., None] if pixels.shape[-1] != 1 else pixels


def _luma(pixels: np.ndarray, top: float) -> np.ndarray:
    return (_colours(pixels) @ _Y + 16 / 255 * top)[..., None] if pixels.shape[-1] != 1 else pixels


def _colours(pixels: np.ndarray) -> np.ndarray:
    if pixels.shape[-1] != 3:
        raise InputError("mismatch", f"luma is of one channel or three, not of {pixels.shape[-1]}.")
    return pixels


def _mse(a: np.ndarray, b: np.ndarray, top: float) -> float:
    return float(np.mean((a - b) ** 2))


def _psnr(a: np.ndarray, b: np.ndarray, top: float) -> float:
    error = _mse(a, b, top)
    if math.isnan(error):
        return error
    return min(_MOST, 10 * math.log10(top**2 / error)) if error > 0 else _MOST


def _ssim(a: np.ndarray, b: np.ndarray, top: float) -> float:
    return float(np.mean([_alike(*pair, top)[0] for pair in _planes(a, b)]))


def _ms_ssim(a: np.ndarray, b: np.ndarray, top: float) -> float:
    """The product over scales of the likeness of structure, and of light at the last one; less than none is none."""
    found = []
    for true, given in _planes(a, b):
        count = 1
        while count < len(_SCALES) and min(true.shape) >= _WINDOW * 2**count:
            count += 1
        weights = np.array(_SCALES[:count]) / (sum(_SCALES[:count]) if count < len(_SCALES) else 1)  # as published
        product = 1.0
        for scale, weight in enumerate(weights):
            whole, structure = _alike(true, given, top)
            share = whole if scale == count - 1 else structure
            product *= share if math.isnan(share) else max(share, 0.0) ** float(weight)
            if scale < count - 1:
                true, given = _half(true), _half(given)
        found.append(product)
    return float(np.mean(found))


def _planes(a: np.ndarray, b: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every channel, of every slice of a volume."""
    rows, columns, channels = a.shape[-3:]
    slices = [each.reshape(-1, rows, columns, channels) for each in (a, b)]
    return [
        (np.ascontiguousarray(true[..., channel]), np.ascontiguousarray(given[..., channel]))
        for true, given in zip(*slices, strict=True)
        for channel in range(channels)
    ]


def _half(plane: np.ndarray) -> np.ndarray:
    rows, columns = plane.shape
    wide = np.pad(plane, ((0, rows % 2), (0, columns % 2)), mode="symmetric")
    return np.asarray(wide.reshape(wide.shape[0] // 2, 2, wide.shape[1] // 2, 2).mean((1, 3)))


@lru_cache(8)
def _bell(size: int) -> np.ndarray:
    made = np.exp(-0.5 * ((np.arange(size) - size // 2) / _SIGMA) ** 2)
    return np.asarray(made / made.sum())


def _alike(a: np.ndarray, b: np.ndarray, top: float) -> tuple[float, float]:
    """Mean likeness of two planes, and of their structure alone, where the whole window lies in the picture."""
    import cv2

    size = min(_WINDOW, (min(a.shape) - 1) // 2 * 2 + 1)
    bell, edge = _bell(size), size // 2

    five = cv2.sepFilter2D(
        np.stack((a, b, a * a, b * b, a * b), 2), cv2.CV_64F, bell, bell, borderType=cv2.BORDER_REFLECT
    )
    light_a, light_b, power_a, power_b, both = np.moveaxis(
        five[edge : a.shape[0] - edge, edge : a.shape[1] - edge], 2, 0
    )
    aa, bb, ab = light_a * light_a, light_b * light_b, light_a * light_b
    one, two = (0.01 * top) ** 2, (0.03 * top) ** 2
    structure = (2 * (both - ab) + two) / (power_a - aa + power_b - bb + two)
    return float(np.mean(structure * (2 * ab + one) / (aa + bb + one))), float(np.mean(structure))
