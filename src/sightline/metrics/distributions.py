"""How alike two crowds of pictures are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.core.tally import Tally
from sightline.metrics._pairs import check_pairs, top_of

_CELLS, _CELLS_IN_COLOUR = 8, 4  # a side: 64 numbers in grey, 48 in colour, few enough for some hundred pictures


def frechet(truths: Sequence[Picture], predictions: Sequence[Picture]) -> Tally:
    """Fréchet distance between Gaussians fitted to coarse pixels: 8 x 8 grey or 4 x 4 colour cells, 0..1.

    Compares crowds, not pairs: order means nothing. The estimate from n pictures lies ABOVE the distance of endless
    crowds, by about (numbers a picture) / n of the spread, so compare only values of equal n; drawing pictures again
    with copies would add to that bias, hence `resample=False` and an interval that is of this estimate alone.
    """
    check_pairs(truths, predictions)
    sides = [[_coarse(picture.pixels) for picture in side] for side in (truths, predictions)]
    if len({len(features) for side in sides for features in side}) > 1:
        raise InputError("mismatch", "pictures have different numbers of channels; compare like with like.")
    rows = np.concatenate([np.array(side, np.float64) for side in sides], axis=-1).reshape(
        len(truths), -1 if truths else 0
    )
    return Tally(rows, _distance, "lower", resample=False, of="this estimate", limits=(0.0, math.inf))


def _coarse(pixels: np.ndarray) -> np.ndarray:
    """Means over a grid of nearly equal cells; sharp edges between cells need no interpolation."""
    shown = pixels[..., None] if pixels.ndim == 2 else pixels
    if shown.ndim != 3 or 0 in shown.shape:
        raise InputError("mismatch", f"pictures are rows, columns, channels, not {pixels.shape}.")
    cells = _CELLS if shown.shape[2] == 1 else _CELLS_IN_COLOUR
    summed = np.pad(shown.astype(np.float64) / top_of(pixels.dtype), ((1, 0), (1, 0), (0, 0))).cumsum(0).cumsum(1)
    edges = [np.linspace(0, size, cells + 1) for size in shown.shape[:2]]
    low, high = [[np.floor(e[:-1]).astype(int) for e in edges], [np.ceil(e[1:]).astype(int) for e in edges]]
    (top, left), (bottom, right) = low, high
    total = summed[bottom][:, right] - summed[top][:, right] - summed[bottom][:, left] + summed[top][:, left]
    area = np.outer(bottom - top, right - left)[..., None]
    return np.asarray((total / area).ravel())


def _distance(rows: np.ndarray) -> float:
    """The trace of the root of a product of covariances is the nuclear norm of a product of their factors.

    So no matrix root is taken, singular covariances need no care, and nothing turns complex or negative.
    """
    if len(rows) < 2 or not np.isfinite(rows).all():
        return math.nan
    sides = np.split(rows, 2, axis=1)
    centres = [side.mean(0) for side in sides]
    factors = [_factor(side - centre) for side, centre in zip(sides, centres, strict=True)]
    spread = float(sum(np.sum(factor**2) for factor in factors))
    shared = float(np.linalg.svd(factors[0] @ factors[1].T, full_matrices=False, compute_uv=False).sum())
    return max(0.0, float(np.sum((centres[0] - centres[1]) ** 2)) + spread - 2 * shared)


def _factor(centred: np.ndarray) -> np.ndarray:
    """A square root R of the covariance R^T R."""
    return np.asarray(np.linalg.qr(centred / math.sqrt(len(centred) - 1), mode="r"))
