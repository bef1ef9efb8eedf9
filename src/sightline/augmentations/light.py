"""Augmentations of light and colour: what is true of a picture stays."""

from __future__ import annotations

import math

import numpy as np

from sightline.augmentations._draw import between
from sightline.augmentations._pixels import change, coloured, in_colour, linear, noisy, toned, touch
from sightline.core.depth import LUMA
from sightline.core.sample import Sample

_GRAY = np.tile(LUMA, (3, 1))
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])  # NTSC 1953
_BACK = np.linalg.inv(_YIQ)
_STILL, _COSINE, _SINE = (
    _BACK @ np.array(part, np.float64) @ _YIQ  # the parts of a turn of the colour circle
    for part in (
        [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 0, 0], [0, 0, -1], [0, 1, 0]],
    )
)


def light(sample: Sample, rng: np.random.Generator, *, brightness: float = 0.2, contrast: float = 0.2) -> Sample:
    """Brighter or darker, harder or softer, the same for every picture of the sample."""
    gain = 1 + rng.uniform(-contrast, contrast)
    shift = rng.uniform(-brightness, brightness)
    return touch(sample, lambda pixels: linear(pixels, gain, shift))


def gamma(sample: Sample, rng: np.random.Generator, *, by: tuple[float, float] = (0.6, 1.6)) -> Sample:
    """Middle tones brighter or darker; black stays black and white stays white."""
    power = float(np.exp(rng.uniform(np.log(by[0]), np.log(by[1]))))
    return touch(sample, lambda pixels: toned(pixels, lambda values: values**power))


def colour(
    sample: Sample,
    rng: np.random.Generator,
    *,
    brightness: float = 0.2,
    contrast: float = 0.2,
    saturation: float = 0.3,
    hue: float = 0.03,
) -> Sample:
    """Light, strength and tint of colours at once, as one matrix, so that nothing is clipped on the way."""
    gain, shift = 1 + rng.uniform(-contrast, contrast), rng.uniform(-brightness, brightness)
    pure, turn = 1 + rng.uniform(-saturation, saturation), rng.uniform(-hue, hue)
    matrix = np.empty((3, 4))
    matrix[:, :3] = (gain * pure) * _tinted(turn) + (gain * (1 - pure)) * _GRAY  # a turn leaves gray as it is
    matrix[:, 3] = (1 - gain) / 2 + shift

    def edit(pixels: np.ndarray) -> np.ndarray:
        return coloured(pixels, matrix) if in_colour(pixels, sample.id, "colour") else linear(pixels, gain, shift)

    return touch(sample, edit)


def saturation(sample: Sample, rng: np.random.Generator, *, by: tuple[float, float] = (0.4, 1.6)) -> Sample:
    """Colours paler or stronger; gray pictures stay as they are."""
    return _through(sample, _purified(between(rng, by)), "saturation")


def hue(sample: Sample, rng: np.random.Generator, *, most: float = 0.06) -> Sample:
    """Colours turned around the circle by up to a part of it; lightness stays."""
    return _through(sample, _tinted(rng.uniform(-most, most)), "hue")


def gray(sample: Sample, rng: np.random.Generator, *, chance: float = 0.2) -> Sample:
    """All colour gone; the channels stay."""
    return _through(sample, _GRAY, "gray") if rng.random() < chance else sample


def noise(sample: Sample, rng: np.random.Generator, *, most: float = 0.05) -> Sample:
    """Gaussian noise of a random strength up to `most` of the full range."""
    strength = rng.uniform(0, most)
    return change(sample, lambda pixels: noisy(pixels, rng, strength))


def _through(sample: Sample, matrix: np.ndarray, what: str) -> Sample:
    whole = np.zeros((3, 4), np.float32)
    whole[:, :3] = matrix
    return touch(sample, lambda pixels: coloured(pixels, whole) if in_colour(pixels, sample.id, what) else pixels)


def _purified(strength: float) -> np.ndarray:
    return np.eye(3) * strength + _GRAY * (1 - strength)


def _tinted(turn: float) -> np.ndarray:
    """A turn of the colour circle in YIQ, which leaves gray as it is."""
    if turn == 0:
        return np.eye(3)
    return np.asarray(_STILL + math.cos(math.tau * turn) * _COSINE + math.sin(math.tau * turn) * _SINE)
