"""Augmentations that move things: every picture and the truth move together."""

from __future__ import annotations

import numpy as np

from sightline.augmentations._records import aligned, flipped, windowed, with_pixels
from sightline.core.sample import Sample


def flip(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5) -> Sample:
    """Left to right."""
    if rng.random() >= chance:
        return sample
    pixels = aligned(sample)
    truth = flipped(sample.truth, pixels[0].shape[-2])
    return with_pixels(sample, [p[..., ::-1, :] for p in pixels], truth)


def crop(sample: Sample, rng: np.random.Generator, *, size: tuple[int, int] = (64, 64), least: float = 0.25) -> Sample:
    """A window of `size` rows and columns anywhere; a smaller picture keeps that side whole."""
    pixels = aligned(sample)
    rows, columns = (min(want, have) for want, have in zip(size, pixels[0].shape[-3:-1], strict=True))
    top = int(rng.integers(pixels[0].shape[-3] - rows + 1))
    left = int(rng.integers(pixels[0].shape[-2] - columns + 1))
    return _window(sample, pixels, top, left, rows, columns, least)


def zoom(sample: Sample, rng: np.random.Generator, *, smallest: float = 0.7, least: float = 0.4) -> Sample:
    """A window of a random part of the picture, of the same shape; the network's input sees it larger."""
    part = rng.uniform(smallest, 1.0) ** 0.5
    pixels = aligned(sample)
    rows, columns = (max(1, round(have * part)) for have in pixels[0].shape[-3:-1])
    top = int(rng.integers(pixels[0].shape[-3] - rows + 1))
    left = int(rng.integers(pixels[0].shape[-2] - columns + 1))
    return _window(sample, pixels, top, left, rows, columns, least)


def _window(
    sample: Sample, pixels: list[np.ndarray], top: int, left: int, rows: int, columns: int, least: float
) -> Sample:
    truth = windowed(sample.truth, top, left, rows, columns, least=least)
    return with_pixels(sample, [p[..., top : top + rows, left : left + columns, :] for p in pixels], truth)
