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
        top = float(np.iinfo(raw.dtype).max) if raw.dtype.kind == "u" else 1.0
        if raw.dtype == np.uint8:
            table = np.clip(np.rint((np.arange(256) - 127.5) * gain + 127.5 + shift * 255), 0, 255).astype(np.uint8)
            pixels.append(table[raw])
        else:
            changed = np.clip((raw - top / 2) * gain + top / 2 + shift * top, 0, top)
            pixels.append((np.rint(changed) if raw.dtype.kind == "u" else changed).astype(raw.dtype))
    return with_pixels(sample, pixels, sample.truth)


def noise(sample: Sample, rng: np.random.Generator, *, most: float = 0.05) -> Sample:
    """Gaussian noise of a random strength up to `most` of the full range."""
    strength = rng.uniform(0, most)
    pixels = []
    for image in sample.images:
        raw = image.read()
        top = float(np.iinfo(raw.dtype).max) if raw.dtype.kind == "u" else 1.0
        noisy = np.clip(raw + rng.standard_normal(raw.shape, np.float32) * np.float32(strength * top), 0, top)
        pixels.append((np.rint(noisy) if raw.dtype.kind == "u" else noisy).astype(raw.dtype))
    return with_pixels(sample, pixels, sample.truth)
