"""Augmentations that bend the picture's plane: turns, scales, shears, perspective, waves."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core import warp
from sightline.core.carried import carry, size_of
from sightline.core.sample import Sample
from sightline.core.warp import Border


def rotate(
    sample: Sample,
    rng: np.random.Generator,
    *,
    degrees: float = 15.0,
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """Turned about the middle by up to so many degrees, either way."""
    turn = _turned(np.radians(rng.uniform(-degrees, degrees)))
    return carry(sample, warp.about_middle(size_of(sample), turn), least=least, border=border)


def scale(
    sample: Sample,
    rng: np.random.Generator,
    *,
    by: tuple[float, float] = (0.7, 1.4),
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """Larger or smaller about the middle, in a picture of the same size."""
    size = float(np.exp(rng.uniform(np.log(by[0]), np.log(by[1]))))
    return carry(sample, warp.about_middle(size_of(sample), np.eye(2) * size), least=least, border=border)


def shear(
    sample: Sample,
    rng: np.random.Generator,
    *,
    degrees: float = 12.0,
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """Slanted along the rows and along the columns by up to so many degrees."""
    across, down = np.tan(np.radians(rng.uniform(-degrees, degrees, 2)))
    slant = np.array([[1, across], [0, 1]]) @ np.array([[1, 0], [down, 1]])
    return carry(sample, warp.about_middle(size_of(sample), slant), least=least, border=border)


def translate(
    sample: Sample,
    rng: np.random.Generator,
    *,
    most: float = 0.15,
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """Shifted by up to a part of each side, in whole pixels, so that none is blurred."""
    rows, columns = size = size_of(sample)
    x, y = np.rint(rng.uniform(-most, most, 2) * (columns, rows))
    moved = warp.about_middle(size, np.eye(2), (float(x), float(y)))
    return carry(sample, moved, least=least, border=border)


def affine(
    sample: Sample,
    rng: np.random.Generator,
    *,
    degrees: float = 10.0,
    scale: tuple[float, float] = (0.85, 1.15),
    shear: float = 5.0,
    most: float = 0.08,
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """A turn, a scale, a shear and a shift at once, interpolated once."""
    rows, columns = size = size_of(sample)
    turn = _turned(np.radians(rng.uniform(-degrees, degrees)))
    slant = np.array([[1, np.tan(np.radians(rng.uniform(-shear, shear)))], [0, 1]])
    grown = float(np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1]))))
    x, y = rng.uniform(-most, most, 2) * (columns, rows)
    moved = warp.about_middle(size, turn @ slant * grown, (float(x), float(y)))
    return carry(sample, moved, least=least, border=border)


def perspective(
    sample: Sample,
    rng: np.random.Generator,
    *,
    most: float = 0.12,
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """Seen from aside: each corner drawn in or out by up to a part of the sides."""
    rows, columns = size = size_of(sample)
    old = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
    moved = old + rng.uniform(-min(most, 0.24), min(most, 0.24), (4, 2)) * (columns, rows)
    return carry(sample, warp.corners(size, moved), least=least, border=border)


def elastic(
    sample: Sample,
    rng: np.random.Generator,
    *,
    strength: float = 0.03,
    smooth: float = 0.07,
    least: float = 0.25,
    border: Border | None = None,
) -> Sample:
    """Bent like rubber (Simard et al. 2003): smooth random displacements, `strength` and `smooth` parts of the side.

    Points follow the inverse of what pixels do; waves that would fold the picture are made gentler.
    """
    size = size_of(sample)
    pitch = max(2.0, smooth * 2 * max(size))
    field = _waves(rng, size, float(rng.uniform(strength / 3, strength)), pitch)
    return carry(sample, warp.waves(field, smooth=max(1, int(pitch / 6))), least=least, border=border)


def _waves(rng: np.random.Generator, size: warp.Size, strength: float, pitch: float) -> np.ndarray:
    """Displacements that are drawn on a coarse grid and grown, which is as smooth as a wide blur, and far cheaper."""
    rows, columns = size
    coarse = (max(4, int(rows / pitch) + 3), max(4, int(columns / pitch) + 3))
    drawn = rng.standard_normal((*coarse, 2), np.float32) * np.float32(strength * max(size) / 2)
    drawn = cv2.GaussianBlur(drawn, (3, 3), 0.8)
    wide = (columns + int(2 * pitch), rows + int(2 * pitch))
    grown = cv2.resize(drawn, wide, interpolation=cv2.INTER_CUBIC)
    top, left = (wide[1] - rows) // 2, (wide[0] - columns) // 2
    return np.ascontiguousarray(grown[top : top + rows, left : left + columns])


def _turned(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
