"""How often and how surely the right name is given."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally, mean
from sightline.metrics._pairs import check_pairs, column, number_names

_LEAST = float(np.finfo(np.float64).eps)  # the floor of a probability, as in scikit-learn


def accuracy(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Share of samples whose best name is the true one."""
    codes = _codes(truths, predictions)
    return Tally((codes[:, :1] == codes[:, 1:]).astype(np.float64), mean, "higher", limits=SHARE)


def balanced_accuracy(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean over true classes of the share found, so that a rare class weighs as much as a common one."""
    return Tally(_codes(truths, predictions), _mean_recall, "higher", limits=SHARE)


def f1(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Macro F1: the mean over classes of the harmonic mean of precision and recall."""
    return Tally(_codes(truths, predictions), _macro_f1, "higher", limits=SHARE)


def log_loss(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean surprise, in nats, at the true name: rewards honest probabilities, not only the right order."""
    check_pairs(truths, predictions)
    pairs = zip(truths, predictions, strict=True)
    rows = column(_surprise(given.score(_only(truth, row))) for row, (truth, given) in enumerate(pairs))
    return Tally(rows, mean, "lower", limits=(0.0, math.inf))


def _surprise(chance: float) -> float:
    return chance if math.isnan(chance) else -math.log(min(max(chance, _LEAST), 1 - _LEAST))


def _codes(truths: Sequence[Labels], predictions: Sequence[Labels]) -> np.ndarray:
    """(n, 2) numbers of the true and the given name; -1 where none is given."""
    check_pairs(truths, predictions)
    numbers = number_names(record.names for record in (*truths, *predictions))
    pairs = zip(truths, predictions, strict=True)
    codes = [(numbers[_only(truth, row)], numbers.get(_best(given), -1)) for row, (truth, given) in enumerate(pairs)]
    return np.array(codes, np.float64).reshape(-1, 2)


def _only(truth: Labels, row: int) -> str:
    """The one true name; many or none have no place in these metrics."""
    if not truth.names or (truth.scores is None and len(truth.names) > 1):
        raise InputError(
            "label", f"sample {row} has {len(truth.names)} true names; this metric takes exactly one a sample."
        )
    return truth.best


def _best(given: Labels) -> str:
    """The best name; none where a score is NaN, since argmax would pick the NaN."""
    broken = given.scores is not None and bool(np.isnan(given.scores).any())
    return "" if broken else given.best


def _confusion(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each class is right, true and given."""
    truth, given = codes.astype(np.int64).T
    size = int(codes.max(initial=-1)) + 1
    counts = [np.bincount(some, minlength=size) for some in (truth[truth == given], truth, given[given >= 0])]
    return counts[0], counts[1], counts[2]


def _mean_recall(codes: np.ndarray) -> float:
    right, true, _ = _confusion(codes)
    present = true > 0
    return float(np.mean(right[present] / true[present])) if present.any() else math.nan


def _macro_f1(codes: np.ndarray) -> float:
    right, true, given = _confusion(codes)
    present = true + given > 0
    return float(np.mean(2 * right[present] / (true + given)[present])) if present.any() else math.nan
