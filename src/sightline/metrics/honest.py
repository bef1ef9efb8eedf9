"""Whether scores mean what they say: of a hundred answers that score .8, eighty should be right."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.tally import SHARE, Tally, mean
from sightline.metrics._choices import chances

BINS = 15


def brier(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean squared distance between the scores of all names and what is so: 0 is perfect, 2 is the worst."""
    rows = chances(truths, predictions)
    true, scores = rows[:, 0].astype(np.int64), rows[:, 1:]
    off = (scores - np.eye(scores.shape[1])[true]) ** 2
    return Tally(off.sum(1, keepdims=True), mean, "lower", limits=(0.0, 2.0))


def ece(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Expected calibration error: how far the best score and the share right are apart, over 15 equal bins of score.

    Its own noise makes it larger on few samples, even where scores are perfect: there, compare it with that of others.
    """
    of = "fresh samples, as many as here"
    return Tally(_sure(truths, predictions), _binned, "lower", of=of, limits=SHARE, smooth=False)


def ece_adaptive(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """The same over 15 bins of equally many samples, so that no bin is nearly empty."""
    of = "fresh samples, as many as here"
    return Tally(_sure(truths, predictions), _adaptive, "lower", of=of, limits=SHARE, smooth=False)


def _sure(truths: Sequence[Labels], predictions: Sequence[Labels]) -> np.ndarray:
    """(n, 2): the best score, and whether its name is right."""
    rows = chances(truths, predictions)
    if not rows.shape[1] > 1:
        return np.zeros((0, 2))
    true, scores = rows[:, 0].astype(np.int64), rows[:, 1:]
    best = scores.max(1)
    return np.stack([best, np.where(np.isnan(best), np.nan, scores.argmax(1) == true)], 1)


def _apart(rows: np.ndarray, bins: np.ndarray) -> float:
    """Score less right, summed in each bin, its size summed over bins, a sample."""
    return float(np.abs(np.bincount(bins, rows[:, 0] - rows[:, 1], minlength=BINS)).sum() / len(rows))


def _equal(rows: np.ndarray) -> np.ndarray:
    """The bin of each row: (0, 1/15], (1/15, 2/15] and so on."""
    return np.asarray((np.ceil(rows[:, 0] * BINS - 1e-12) - 1).clip(0, BINS - 1).astype(np.int64))


def _binned(rows: np.ndarray) -> float:
    if not len(rows) or np.isnan(rows).any():
        return math.nan
    return _apart(rows, _equal(rows))


def _adaptive(rows: np.ndarray) -> float:
    if not len(rows) or np.isnan(rows).any():
        return math.nan
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    bins = np.empty(len(rows), np.int64)
    bins[order] = np.arange(len(rows)) * BINS // len(rows)
    return _apart(rows, bins)
