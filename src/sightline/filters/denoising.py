"""Filters that take noise away; `noise` is in levels of 8 bits, 0: measured, and `strength` multiplies it."""

from __future__ import annotations

import math

import numpy as np

from sightline.core.asked import wholes, within
from sightline.core.depth import from_unit, unit
from sightline.filters._blocks import overlapping
from sightline.filters._noise import spread
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import each, each_of
from sightline.filters._similar import by_likeness
from sightline.filters._waves import shrunk


@on_pixels
def non_local_means(
    image: np.ndarray, *, patch: int = 5, window: int = 21, noise: float = 0.0, strength: float = 1.0
) -> np.ndarray:
    """The mean of all pixels of a `window` whose surroundings, `patch` pixels wide, look alike (Buades et al. 2005).

    Pixels of 8 bits and one to four channels go the quick way of 8 bits; all others are compared as floats.
    """
    import cv2

    wholes("non_local_means", 1, 21, patch=patch)
    wholes("non_local_means", 3, 101, window=window)
    level = spread("non_local_means", image, noise, strength)
    if level <= 0 or not min(image.shape[:2]) > 1:
        return image.copy()
    patch, window = patch | 1, window | 1
    alike = 0.95 * level
    if image.dtype == np.uint8 and image.shape[2] <= 4:
        made = cv2.fastNlMeansDenoising(image, [255 * alike], None, patch, window, cv2.NORM_L2)
        return np.asarray(made).reshape(image.shape)
    return from_unit(by_likeness(unit(image), alike, patch, window), image)


@on_pixels
def total_variation(image: np.ndarray, *, steps: int = 25, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """The picture with the fewest ups and downs near this one (Rudin, Osher and Fatemi 1992), in `steps`.

    Solved by Beck and Teboulle's fast gradient projection (2009); all channels share their edges.
    """
    wholes("total_variation", 1, 1000, steps=steps)
    values = unit(image)
    weight = 0.75 * spread("total_variation", values, noise, strength)
    return from_unit(_smallest_variation(values, weight, steps), image) if weight > 0 else image.copy()


def _smallest_variation(values: np.ndarray, weight: float, steps: int) -> np.ndarray:
    """argmin |x - values|^2 / 2 + weight * sum of lengths of gradients."""
    down, right = np.zeros_like(values), np.zeros_like(values)
    ahead_down, ahead_right, pace = down.copy(), right.copy(), 1.0

    def answer(down: np.ndarray, right: np.ndarray) -> np.ndarray:
        flow = down + right
        flow[1:] -= down[:-1]
        flow[:, 1:] -= right[:, :-1]
        flow *= np.float32(weight)
        flow += values
        return np.asarray(flow)

    for _ in range(steps):
        now = answer(ahead_down, ahead_right)
        now *= np.float32(1 / (8 * weight))
        new_down, new_right = ahead_down, ahead_right
        new_down[:-1] += now[1:]
        new_down[:-1] -= now[:-1]
        new_right[:, :-1] += now[:, 1:]
        new_right[:, :-1] -= now[:, :-1]
        length = np.sqrt(_squares(new_down) + _squares(new_right))
        np.maximum(length, 1, out=length)
        length = np.reciprocal(length, out=length)[..., None]
        new_down *= length
        new_right *= length
        faster = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
        push = np.float32((pace - 1) / faster)
        ahead_down, ahead_right = (1 + push) * new_down - push * down, (1 + push) * new_right - push * right
        down, right, pace = new_down, new_right, faster
    return answer(down, right)


def _squares(values: np.ndarray) -> np.ndarray:
    """Sum over channels."""
    return np.asarray(np.einsum("ijk,ijk->ij", values, values))


@on_pixels
def wavelet(image: np.ndarray, *, levels: int = 4, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """Detail at `levels` scales shrunk by what noise there is (BayesShrink, Chang et al. 2000), over all shifts."""
    wholes("wavelet", 1, 8, levels=levels)
    values = unit(image)
    level = spread("wavelet", values, noise, strength)
    if level <= 0:
        return image.copy()
    return from_unit(each(values, lambda plane: shrunk(plane, level, levels)), image)


@on_pixels
def sliding_cosines(image: np.ndarray, *, step: int = 2, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """Weak waves of every 8 x 8 square set to nothing, at every `step` pixels, and the answers averaged.

    Hard thresholds on the discrete cosine transform with overlap (Guleryuz 2007): the best of the plain filters here.
    """
    wholes("sliding_cosines", 1, 8, step=step)
    values = unit(image)
    level = 2.7 * spread("sliding_cosines", values, noise, strength)
    if level <= 0:
        return image.copy()
    bars = np.full((8, 8), level, np.float32)
    bars[0, 0] = 0
    return from_unit(each(values, lambda plane: overlapping(plane, bars, step)), image)


@on_pixels
def wiener_denoise(image: np.ndarray, *, radius: int = 2, noise: float = 0.0, strength: float = 1.0) -> np.ndarray:
    """Each window pulled towards its mean by the share of its variance that is noise (Lee 1980)."""
    import cv2

    wholes("wiener_denoise", 1, 100, radius=radius)
    values = unit(image)
    power = np.float32((1.1 * spread("wiener_denoise", values, noise, strength)) ** 2)
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(plane: np.ndarray) -> np.ndarray:
        return each_of(plane, lambda part: np.asarray(cv2.blur(part, size, borderType=cv2.BORDER_REFLECT)))

    middle = mean(values)
    variance = np.maximum(mean(values * values) - middle * middle, power)
    return from_unit(middle + (values - middle) * (1 - power / np.maximum(variance, 1e-12)), image)


@on_pixels
def soften_blocks(image: np.ndarray, *, quality: int = 0, step: int = 2, strength: float = 1.0) -> np.ndarray:
    """The squares of strong JPEG compression made smooth: its own coarse waves cut again, on shifted squares.

    `quality` is that of the JPEG, 0: told from the picture, which is left as it is where no trace of one is found.
    Colours are mended in luma and in two colours apart, which JPEG packs harder.
    """
    from sightline.filters._jpeg import mended

    wholes("soften_blocks", 0, 100, quality=quality)
    wholes("soften_blocks", 1, 8, step=step)
    within("soften_blocks", 0, 10, strength=strength)
    return from_unit(mended(unit(image), quality, step, strength), image)
