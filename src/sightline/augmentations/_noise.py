"""Noise of photons and impulses, and what lossy files leave behind."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from sightline.augmentations._pixels import normal, words
from sightline.core.depth import from_unit, span, unit

_STEPS = 4096  # equal steps of chance in a table of photons


def shot(pixels: np.ndarray, rng: np.random.Generator, photons: float) -> np.ndarray:
    """Poisson noise; bytes through a table of 256 brightnesses and 4,096 steps of chance."""
    if pixels.dtype == np.uint8:
        table = _photons(round(photons))
        place = (words(rng, pixels.size) >> np.uint16(4)).astype(np.int32)
        place += pixels.reshape(-1).astype(np.int32) * np.int32(_STEPS)
        return np.asarray(table.take(place)).reshape(pixels.shape)
    values = unit(pixels)
    counted = rng.poisson(np.nan_to_num(values.clip(0)) * photons).astype(np.float32) / np.float32(photons)
    return from_unit(counted, pixels)


@lru_cache(maxsize=16)
def _photons(photons: int) -> np.ndarray:
    """The value that each of 256 brightnesses shows at each step of chance, flat."""
    chance = (np.arange(_STEPS) + 0.5) / _STEPS
    counts = np.arange(photons + 12 + int(8 * photons**0.5))
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(counts[1:], 1)))])  # of the factorials
    table = np.zeros((256, _STEPS), np.uint8)
    for value in range(1, 256):
        rate = value / 255 * photons
        reach = np.cumsum(np.exp(counts * np.log(rate) - rate - logs))
        seen = np.searchsorted(reach, chance)
        table[value] = np.rint(np.minimum(seen / photons, 1) * 255)
    return table.reshape(-1)


def impulses(pixels: np.ndarray, rng: np.random.Generator, part: float) -> np.ndarray:
    """A part of all values set to black or white, at places drawn one by one."""
    low, top = span(pixels)
    made = np.ascontiguousarray(pixels).copy()
    count = int(rng.binomial(made.size, -np.log1p(-part)))  # drawn with repeats, so that `part` of them are hit
    places = rng.integers(0, made.size, count)
    ends = np.array([low, top], made.dtype)
    made.reshape(-1)[places] = ends[words(rng, count) & np.uint16(1)]  # the last of repeats holds, black or white alike
    return made


def speckle(pixels: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Each value times one plus normal noise."""
    gain = normal(rng, pixels.shape, strength)
    gain += 1
    if pixels.dtype.kind == "u":
        depth = cv2.CV_8U if pixels.dtype == np.uint8 else cv2.CV_16U
        plane = pixels.reshape(len(pixels), -1)
        return np.asarray(cv2.multiply(plane, gain.reshape(len(pixels), -1), dtype=depth).reshape(pixels.shape))
    values = unit(pixels)
    values *= gain
    return from_unit(values, pixels)


def recoded(pixels: np.ndarray, suffix: str, quality: int) -> np.ndarray:
    """Written with a lossy codec and read again, three channels or one at a time."""
    if pixels.dtype != np.uint8:
        low, top = span(pixels)
        bytes_ = np.rint(np.nan_to_num(unit(pixels)).clip(0, 1) * 255).astype(np.uint8)
        made = recoded(bytes_, suffix, quality).astype(np.float64) / 255 * (top - low) + low
        return np.asarray(np.rint(made) if pixels.dtype.kind == "u" else made).astype(pixels.dtype)
    if pixels.shape[2] == 3:
        return _through(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), suffix, quality, cv2.IMREAD_COLOR_RGB)
    planes = [np.ascontiguousarray(pixels[..., channel]) for channel in range(pixels.shape[2])]
    return np.stack([_through(plane, suffix, quality, cv2.IMREAD_GRAYSCALE) for plane in planes], -1)


def _through(plane: np.ndarray, suffix: str, quality: int, way: int) -> np.ndarray:
    setting = cv2.IMWRITE_JPEG_QUALITY if suffix == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
    _, data = cv2.imencode(suffix, plane, [setting, quality])
    return np.asarray(cv2.imdecode(data, way))
