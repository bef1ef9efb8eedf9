"""How far numbers are off."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Value
from sightline.core.errors import InputError
from sightline.core.tally import Tally, mean
from sightline.metrics._pairs import check_pairs, column


def mean_absolute_error(truths: Sequence[Value], predictions: Sequence[Value]) -> Tally:
    """Mean distance between the true and the given numbers, in their own unit."""
    check_pairs(truths, predictions)
    rows = column(_distance(*pair) for pair in zip(truths, predictions, strict=True))
    return Tally(rows, mean, "lower", limits=(0.0, math.inf))


def _distance(truth: Value, given: Value) -> float:
    missing = set(truth.names) - set(given.names)
    if missing or not truth.names:
        raise InputError("label", f"the truth has numbers {truth.names}, the prediction {given.names}; give each one.")
    order = [given.names.index(name) for name in truth.names]
    return float(np.mean(np.abs(truth.numbers.astype(np.float64) - given.numbers.astype(np.float64)[order])))
