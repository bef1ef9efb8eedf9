"""How well areas agree."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Regions
from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally
from sightline.metrics._pairs import check_pairs, number_names


def mean_iou(truths: Sequence[Regions], predictions: Sequence[Regions]) -> Tally:
    """Mean over classes of shared over united pixels of the whole set; true pixels outside the names are ignored."""
    check_pairs(truths, predictions)
    numbers = number_names(record.names for record in (*truths, *predictions))
    rows = [_counts(*pair, numbers) for pair in zip(truths, predictions, strict=True)]
    return Tally(np.array(rows, np.float64).reshape(len(rows), 2 * len(numbers)), _mean_ratio, "higher", limits=SHARE)


def dice(truths: Sequence[Regions], predictions: Sequence[Regions]) -> Tally:
    """Mean over classes of twice the shared over all pixels of the whole set."""
    check_pairs(truths, predictions)
    numbers = number_names(record.names for record in (*truths, *predictions))
    rows = [_counts(*pair, numbers) for pair in zip(truths, predictions, strict=True)]
    return Tally(np.array(rows, np.float64).reshape(len(rows), 2 * len(numbers)), _mean_dice, "higher", limits=SHARE)


def _counts(truth: Regions, given: Regions, numbers: dict[str, int]) -> np.ndarray:
    """Shared, then united pixels of every class."""
    if truth.classes.shape != given.classes.shape:
        raise InputError("mismatch", f"the true map is {truth.classes.shape}, the given one {given.classes.shape}.")
    size = len(numbers)
    known = (truth.classes >= 0) & (truth.classes < len(truth.names))
    a = np.array([numbers[name] for name in truth.names], np.int64)[truth.classes[known]]
    names = np.array([*(numbers[name] for name in given.names), size], np.int64)  # the last stands for no name at all
    b = names[np.where((given.classes >= 0) & (given.classes < len(given.names)), given.classes, -1)[known]]
    shared = np.bincount(a[a == b], minlength=size)
    united = np.bincount(a, minlength=size) + np.bincount(b, minlength=size + 1)[:size] - shared
    return np.concatenate([shared, united])


def _mean_ratio(rows: np.ndarray) -> float:
    shared, united = rows.sum(0).reshape(2, -1)
    present = united > 0
    return float(np.mean(shared[present] / united[present])) if present.any() else math.nan


def _mean_dice(rows: np.ndarray) -> float:
    shared, united = rows.sum(0).reshape(2, -1)
    present = united > 0
    return float(np.mean(2 * shared[present] / (united + shared)[present])) if present.any() else math.nan
