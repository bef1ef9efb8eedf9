"""How often and how surely the right name is given."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.tally import SHARE, Tally, mean
from sightline.metrics._choices import codes, counts, only
from sightline.metrics._pairs import check_pairs, column

_LEAST = float(np.finfo(np.float64).eps)  # the floor of a probability, as in scikit-learn


def accuracy(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Share of samples whose best name is the true one."""
    rows = codes(truths, predictions)
    return Tally((rows[:, :1] == rows[:, 1:]).astype(np.float64), mean, "higher", limits=SHARE)


def balanced_accuracy(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean over true classes of the share found, so that a rare class weighs as much as a common one."""
    return Tally(codes(truths, predictions), _mean_recall, "higher", limits=SHARE)


def f1(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Macro F1: the mean over classes of the harmonic mean of precision and recall."""
    return Tally(codes(truths, predictions), _macro_f1, "higher", limits=SHARE)


def log_loss(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean surprise, in nats, at the true name: rewards honest probabilities, not only the right order."""
    check_pairs(truths, predictions)
    pairs = zip(truths, predictions, strict=True)
    rows = column(_surprise(given.score(only(truth, row))) for row, (truth, given) in enumerate(pairs))
    return Tally(rows, mean, "lower", limits=(0.0, math.inf))


def _surprise(chance: float) -> float:
    return chance if math.isnan(chance) else -math.log(min(max(chance, _LEAST), 1 - _LEAST))


def _mean_recall(rows: np.ndarray) -> float:
    right, true, _ = counts(rows)
    present = true > 0
    return float(np.mean(right[present] / true[present])) if present.any() else math.nan


def _macro_f1(rows: np.ndarray) -> float:
    right, true, given = counts(rows)
    present = true + given > 0
    return float(np.mean(2 * right[present] / (true + given)[present])) if present.any() else math.nan
