"""Truths of one name each, and answers that score names, as rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.metrics._pairs import check_pairs, number_names


def codes(truths: Sequence[Labels], predictions: Sequence[Labels]) -> np.ndarray:
    """(n, 2) numbers of the true and the given name; -1 where none is given."""
    check_pairs(truths, predictions)
    numbers = number_names(record.names for record in (*truths, *predictions))
    pairs = zip(truths, predictions, strict=True)
    rows = [(numbers[only(truth, row)], numbers.get(best(given), -1)) for row, (truth, given) in enumerate(pairs)]
    return np.array(rows, np.float64).reshape(-1, 2)


def chances(truths: Sequence[Labels], predictions: Sequence[Labels]) -> np.ndarray:
    """(n, 1 + names): the number of the true name, then the score of every name, names in the order of the alphabet."""
    check_pairs(truths, predictions)
    numbers = number_names(record.names for record in (*truths, *predictions))
    rows = np.zeros((len(truths), 1 + len(numbers)))
    places: dict[tuple[str, ...], np.ndarray] = {}
    for row, (truth, given) in enumerate(zip(truths, predictions, strict=True)):
        if given.names not in places:
            places[given.names] = np.array([1 + numbers[name] for name in given.names], np.int64)
        rows[row, 0] = numbers[only(truth, row)]
        rows[row, places[given.names]] = 1.0 if given.scores is None else given.scores
    return rows


def counts(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each name is right, true and given."""
    truth, given = rows.astype(np.int64).T
    size = int(rows.max(initial=-1)) + 1
    counted = [np.bincount(some, minlength=size) for some in (truth[truth == given], truth, given[given >= 0])]
    return counted[0], counted[1], counted[2]


def only(truth: Labels, row: int) -> str:
    """The one true name; many or none have no place in these metrics."""
    if not truth.names or (truth.scores is None and len(truth.names) > 1):
        raise InputError(
            "label", f"sample {row} has {len(truth.names)} true names; this metric takes exactly one a sample."
        )
    return truth.best


def best(given: Labels) -> str:
    """The best name; none where a score is NaN, since argmax would pick the NaN."""
    broken = given.scores is not None and bool(np.isnan(given.scores).any())
    return "" if broken else given.best
