"""Fewer numbers a row: the directions in which rows differ most (PCA), or random ones that keep their distances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sightline.core.chance import generator
from sightline.core.errors import SettingsError, nearest

KINDS = ("pca", "random")
_LONGEST = 4096  # numbers a row may keep


@dataclass(frozen=True, eq=False)
class Directions:
    """What is taken from a row and the directions it is then looked at along."""

    middle: np.ndarray  # (width,)
    axes: np.ndarray  # (width, kept)
    told: float | None = None  # share of all spread that the kept directions tell; random ones do not choose

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The rows, shorter."""
        return np.asarray((np.asarray(values, np.float64) - self.middle) @ self.axes)


def parse(word: str) -> tuple[str, int]:
    """'pca:32' and 'random:64' as a kind and a number, 'none' as ('none', 0)."""
    kind, colon, text = str(word).strip().partition(":")
    if kind == "none" and not colon:
        return kind, 0
    if kind not in KINDS:
        close = nearest(kind, (*KINDS, "none"))
        raise SettingsError(f"reduce = '{str(word)[:80]}': must be pca:N, random:N or none.{close}")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _LONGEST):
        raise SettingsError(f"reduce = '{str(word)[:80]}': N must be a whole number from 1 to {_LONGEST:,}.")
    return kind, int(text)


def directions(values: np.ndarray, word: str, *, seed: int = 0) -> Directions | None:
    """The directions that a word such as 'pca:32' asks for, learnt from these rows; None where nothing is left out."""
    kind, count = parse(word)
    if kind == "none" or (kind == "random" and count >= values.shape[1]):
        return None
    return widest(values, count) if kind == "pca" else drawn(values, count, seed=seed)


def widest(values: np.ndarray, count: int) -> Directions:
    """At most `count` directions in which the rows differ most, the widest first (Pearson 1901).

    The largest part of each direction is positive, so that the same rows give the same ones on every machine.
    """
    rows = np.asarray(values, np.float64)
    middle = rows.mean(0)
    away = rows - middle
    spread, axes = main_axes(away, count)
    total = float(np.square(away).sum()) / max(1, len(rows) - 1)
    axes = axes * np.where(np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1) < 0, -1.0, 1.0)
    return Directions(middle, axes.T, min(1.0, float(spread.sum()) / total) if total > 0 else 1.0)


def drawn(values: np.ndarray, count: int, *, seed: int = 0) -> Directions:
    """`count` random directions: all distances are kept on average, the better the more (Johnson, Lindenstrauss 1984).

    `enough` says how many keep every distance of so many rows.
    """
    width = values.shape[1]
    axes = generator("directions", seed).normal(0, 1 / math.sqrt(count), (width, count))
    return Directions(np.asarray(values, np.float64).mean(0), axes)


def enough(rows: int, gap: float) -> int:
    """How many random directions keep every squared distance of so many rows within the share `gap`.

    The bound of Dasgupta and Gupta (2003), for which a draw that keeps them all is likelier than 1 / rows.
    """
    return math.ceil(4 * math.log(max(2, rows)) / (gap**2 / 2 - gap**3 / 3))


def main_axes(away: np.ndarray, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Spread along each main axis, the widest first, and the axes as rows; found in the smaller of two spaces."""
    count, width = away.shape
    wide = count < width
    square = (away @ away.T if wide else away.T @ away) / max(1, count - 1)
    if most is not None and most < len(square) // 4:  # a few of many are found in a third of the time
        from scipy.linalg import eigh

        sizes, turned = eigh(square, subset_by_index=(len(square) - most, len(square) - 1))
    else:
        sizes, turned = np.linalg.eigh(square)
    sizes, turned = sizes[::-1][:most], turned[:, ::-1][:, :most]
    real = sizes > 1e-9 * max(float(sizes[0]), 1e-30)
    sizes, turned = sizes[real], turned[:, real]
    axes = away.T @ turned if wide else turned
    return sizes, np.asarray((axes / np.linalg.norm(axes, axis=0)).T)
