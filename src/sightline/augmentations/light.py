"""Augmentations of light: the truth stays where it is."""

from __future__ import annotations

import numpy as np

from sightline.augmentations._records import with_pixels
from sightline.core.sample import Sample


def light(sample: Sample, rng: np.random.Generator, *, brightness: float = 0.2, contrast: float = 0.2) -> Sample:
    """Brighter or darker, harder or softer, the same for every picture of the sample."""
    gain = 1 + rng.uniform(-contrast, contrast)
    shift = rng.uniform(-brightness, brightness)
    pixels = []
    for image in sample.images:
        raw = image.read()
        low, top = _range(raw)
        if raw.dtype == np.uint8:
            table = np.clip(np.rint((np.arange(256) - 127.5) * gain + 127.5 + shift * 255), 0, 255).astype(np.uint8)
            pixels.append(table[raw])
        else:
            middle = (low + top) / 2
            changed = np.clip((raw - middle) * gain + middle + shift * (top - low), low, top)
            pixels.append((np.rint(changed) if raw.dtype.kind == "u" else changed).astype(raw.dtype))
    return with_pixels(sample, pixels, sample.truth)


def noise(sample: Sample, rng: np.random.Generator, *, most: float = 0.05) -> Sample:
    """Gaussian noise of a random strength up to `most` of the full range."""
    strength = rng.uniform(0, most)
    pixels = []
    for image in sample.images:
        raw = image.read()
        low, top = _range(raw)
        drawn = rng.standard_normal(raw.shape, np.float32) * np.float32(strength * (top - low))
        noisy = np.clip(raw + drawn, low, top)
        pixels.append((np.rint(noisy) if raw.dtype.kind == "u" else noisy).astype(raw.dtype))
    return with_pixels(sample, pixels, sample.truth)


def _range(raw: np.ndarray) -> tuple[float, float]:
    """Black and white: the ends of the depth, or 0 and 1 for floats, wider where the values are (heights, counts)."""
    if raw.dtype.kind == "u":
        return 0.0, float(np.iinfo(raw.dtype).max)
    return float(np.fmin.reduce(raw, axis=None, initial=0.0)), float(np.fmax.reduce(raw, axis=None, initial=1.0))
