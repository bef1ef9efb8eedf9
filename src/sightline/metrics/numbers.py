"""How far numbers are off, and whether their intervals hold what is so; NaN in the truth marks what nobody knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.annotations import Value
from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally, mean
from sightline.metrics._pairs import check_pairs

Thresholds = Mapping[str, Any] | None  # what an evaluation measured: factors of intervals are under "intervals"
_POSITIVE = (0.0, math.inf)
_OUTSIDE = 20.0  # two over the share that may lie outside


def mean_absolute_error(truths: Sequence[Value], predictions: Sequence[Value]) -> Tally:
    """Mean distance between the true and the given numbers, in their own unit."""
    true, given = _tables(truths, predictions)[:2]
    return _tally(np.abs(true - given), true, "lower", _POSITIVE)


def root_mean_square_error(truths: Sequence[Value], predictions: Sequence[Value]) -> Tally:
    """Root of the mean square distance, in which large misses weigh more."""
    true, given = _tables(truths, predictions)[:2]
    return Tally(_means((true - given) ** 2, true), _root, "lower", limits=_POSITIVE)


def r_squared(truths: Sequence[Value], predictions: Sequence[Value]) -> Tally:
    """Share of the variance of each number that is explained, mean over numbers; answering the mean gets 0."""
    true, given = _tables(truths, predictions)[:2]
    return Tally(np.concatenate([true, given], 1), _explained, "higher", limits=(-math.inf, 1.0))


def interval_coverage(truths: Sequence[Value], predictions: Sequence[Value], *, thresholds: Thresholds = None) -> Tally:
    """Share of true numbers inside their interval, which is made to hold nine of ten; without one it is a point."""
    true, given, low, high = _tables(truths, predictions, thresholds)
    inside = np.where(np.isnan(given), np.nan, (low <= true) & (true <= high))
    return _tally(inside, true, "higher", SHARE)


def interval_score(truths: Sequence[Value], predictions: Sequence[Value], *, thresholds: Thresholds = None) -> Tally:
    """Mean width of the intervals and, for a number outside, twenty times how far: narrow ones that hold cost least.

    Gneiting and Raftery (2007) for intervals made to hold nine of ten; in the unit of the numbers.
    """
    true, _, low, high = _tables(truths, predictions, thresholds)
    outside = np.maximum(low - true, 0) + np.maximum(true - high, 0)
    return _tally(high - low + _OUTSIDE * outside, true, "lower", _POSITIVE)


def _tables(
    truths: Sequence[Value], predictions: Sequence[Value], thresholds: Thresholds = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(n, names) each: what is so, what is given, and the lower and upper end of its interval."""
    check_pairs(truths, predictions)
    names = tuple(dict.fromkeys(name for truth in truths for name in truth.names))
    factors = (thresholds or {}).get("intervals", {})
    times = np.array([factors.get(name, 1.0) for name in names])
    tables = np.full((4, len(truths), len(names)), np.nan)
    for row, (truth, given) in enumerate(zip(truths, predictions, strict=True)):
        if not truth.names or not set(truth.names) <= set(given.names):
            raise InputError(
                "label", f"the truth has numbers {truth.names}, the prediction {given.names}; give each one."
            )
        columns = [names.index(name) for name in truth.names]
        order = [given.names.index(name) for name in truth.names]
        ends = (given.low, given.high) if given.low is not None and given.high is not None else (given.numbers,) * 2
        tables[0, row, columns] = truth.numbers
        for table, numbers in zip(tables[1:], (given.numbers, *ends), strict=True):
            table[row, columns] = numbers.astype(np.float64)[order]
    true, middle, low, high = tables
    return true, middle, middle + (low - middle) * times, middle + (high - middle) * times


def _tally(table: np.ndarray, true: np.ndarray, better: str, limits: tuple[float, float]) -> Tally:
    """The mean over samples of the mean over their numbers; plain rows where every number is known."""
    rows, plain = _means(table, true), not np.isnan(true).any()
    return Tally(rows[:, :1] if plain else rows, mean if plain else _mean, better, limits=limits)


def _means(table: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(n, 2): the mean over the numbers of a sample that are known, and whether there are any."""
    known = ~np.isnan(true)
    count = known.sum(1)
    total = np.where(known, table, 0.0).sum(1)
    return np.stack([total / np.maximum(count, 1), count > 0], 1).astype(np.float64).reshape(-1, 2)


def _mean(rows: np.ndarray) -> float:
    told = rows[rows[:, 1] > 0, 0]
    return float(np.mean(told)) if len(told) else math.nan


def _root(rows: np.ndarray) -> float:
    return math.sqrt(_mean(rows)) if not math.isnan(_mean(rows)) else math.nan


def _explained(rows: np.ndarray) -> float:
    """A number that never differs has no variance to explain and is left out."""
    true, given = np.split(rows, 2, axis=1)
    known = ~np.isnan(true)
    count = np.maximum(known.sum(0), 1)
    middle = np.where(known, true, 0.0).sum(0) / count
    spread = np.where(known, (true - middle) ** 2, 0.0).sum(0)
    missed = np.where(known, (true - given) ** 2, 0.0).sum(0)
    told = spread > 1e-12 * count * (1 + middle**2)
    return float(np.mean(1 - missed[told] / spread[told])) if told.any() else math.nan
