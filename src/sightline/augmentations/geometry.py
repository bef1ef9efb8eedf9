"""Augmentations that move pixels to other whole places: flips, quarter turns, windows and margins."""

from __future__ import annotations

import math

import numpy as np

from sightline.augmentations._draw import between
from sightline.core import warp
from sightline.core.carried import carry, size_of
from sightline.core.sample import Sample
from sightline.core.warp import Border


def flip(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5, turn: int | None = None) -> Sample:
    """Left to right."""
    return carry(sample, warp.flip(size_of(sample))) if _happens(rng, chance, turn, 0) else sample


def flip_down(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5, turn: int | None = None) -> Sample:
    """Upside down, as a mirror below would show it."""
    return carry(sample, warp.flip(size_of(sample), down=True)) if _happens(rng, chance, turn, 1) else sample


def transpose(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5, turn: int | None = None) -> Sample:
    """Rows become columns."""
    return carry(sample, warp.transpose(size_of(sample))) if _happens(rng, chance, turn, 2) else sample


def _happens(rng: np.random.Generator, chance: float, turn: int | None, kind: int) -> bool:
    """By chance; or where turns are counted and it is even, in turn: all eight ways in eight turns (Jordan 2024)."""
    drawn = rng.random() < chance
    return drawn if turn is None or chance != 0.5 else turn >> kind & 1 == 1


def quarter_turn(sample: Sample, rng: np.random.Generator) -> Sample:
    """Turned by none, one, two or three quarters of a circle."""
    count = int(rng.integers(4))
    return carry(sample, warp.quarters(size_of(sample), count)) if count else sample


def crop(sample: Sample, rng: np.random.Generator, *, size: tuple[int, int] = (64, 64), least: float = 0.25) -> Sample:
    """A window of `size` rows and columns anywhere; a smaller picture keeps that side whole."""
    have = size_of(sample)
    rows, columns = (min(int(want), side) for want, side in zip(size, have, strict=True))
    return carry(sample, _anywhere(rng, have, rows, columns), least=least)


def zoom(sample: Sample, rng: np.random.Generator, *, smallest: float = 0.7, least: float = 0.4) -> Sample:
    """A window of a random part of the picture, of the same shape; the network's input sees it larger."""
    part = rng.uniform(smallest, 1.0) ** 0.5
    have = size_of(sample)
    rows, columns = (max(1, round(side * part)) for side in have)
    return carry(sample, _anywhere(rng, have, rows, columns), least=least)


def window(
    sample: Sample,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] | None = None,
    part: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
    least: float = 0.25,
    antialias: bool = True,
) -> Sample:
    """A window of random area and shape, brought to `size` (the random resized crop of Szegedy et al. 2015)."""
    have = size_of(sample)
    rows, columns = _part(rng, have, part, aspect)
    to = (int(size[0]), int(size[1])) if size else have
    return carry(sample, _anywhere(rng, have, rows, columns, to), least=least, antialias=antialias)


def pad(sample: Sample, rng: np.random.Generator, *, most: float = 0.25, border: Border | None = None) -> Sample:
    """Margins around the picture, each a random part of its side up to `most`: things look smaller and farther."""
    rows, columns = size_of(sample)
    top, bottom = (int(rng.integers(round(rows * most) + 1)) for _ in range(2))
    left, right = (int(rng.integers(round(columns * most) + 1)) for _ in range(2))
    wider = warp.window((rows, columns), -top, -left, rows + top + bottom, columns + left + right)
    return carry(sample, wider, border=border)


def _part(
    rng: np.random.Generator, have: warp.Size, part: tuple[float, float], aspect: tuple[float, float]
) -> warp.Size:
    """Rows and columns of an area and a shape that fit; after ten that do not, as large as fits."""
    rows, columns = have
    for _ in range(10):
        area = have[0] * have[1] * between(rng, part)
        shape = math.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1])))
        rows, columns = max(1, round((area / shape) ** 0.5)), max(1, round((area * shape) ** 0.5))
        if rows <= have[0] and columns <= have[1]:
            break
    return min(rows, have[0]), min(columns, have[1])


def _anywhere(
    rng: np.random.Generator, have: warp.Size, rows: int, columns: int, to: warp.Size | None = None
) -> warp.Warp:
    top = int(rng.random() * (have[0] - rows + 1))  # a whole number in a sixth of the time of `integers`
    left = int(rng.random() * (have[1] - columns + 1))
    return warp.window(have, top, left, rows, columns, to)
