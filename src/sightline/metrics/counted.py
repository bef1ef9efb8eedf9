"""What counting right and wrong names tells beyond the share that is right."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.tally import SHARE, Tally
from sightline.metrics._choices import codes, counts


def precision(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Macro precision: of what is given a name, the share that bears it, averaged over names."""
    return Tally(codes(truths, predictions), _precision, "higher", limits=SHARE)


def recall(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Macro recall: of what bears a name, the share that is given it, averaged over all names, also given ones."""
    return Tally(codes(truths, predictions), _recall, "higher", limits=SHARE)


def f1_weighted(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """F1 of each name, averaged as often as the name is true."""
    return Tally(codes(truths, predictions), _weighted_f1, "higher", limits=SHARE)


def f1_micro(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """F1 over all names counted together; where each sample has one name, it is the accuracy."""
    return Tally(codes(truths, predictions), _micro_f1, "higher", limits=SHARE)


def matthews(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Matthews' correlation of true and given names: 0 for guessing, 1 for perfect, whatever the shares of names."""
    return Tally(codes(truths, predictions), _matthews, "higher", limits=(-1.0, 1.0))


def _ratios(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Zero over zero is zero, as in scikit-learn."""
    return np.asarray(top / np.maximum(bottom, 1))


def _precision(rows: np.ndarray) -> float:
    right, true, given = counts(rows)
    present = true + given > 0
    return float(np.mean(_ratios(right, given)[present])) if present.any() else math.nan


def _recall(rows: np.ndarray) -> float:
    right, true, given = counts(rows)
    present = true + given > 0
    return float(np.mean(_ratios(right, true)[present])) if present.any() else math.nan


def _weighted_f1(rows: np.ndarray) -> float:
    right, true, given = counts(rows)
    return float(np.sum(_ratios(2 * right, true + given) * true) / true.sum()) if true.sum() else math.nan


def _micro_f1(rows: np.ndarray) -> float:
    right, true, given = counts(rows)
    return float(2 * right.sum() / (true.sum() + given.sum())) if true.sum() else math.nan


def _matthews(rows: np.ndarray) -> float:
    right, true, given = (column.astype(np.float64) for column in counts(rows))
    total = float(len(rows))
    if not total:
        return math.nan
    unnamed = total - float(given.sum())  # answers without a name are one more name
    spread_given = total**2 - float(given @ given) - unnamed**2
    spread_true = total**2 - float(true @ true)
    if spread_given * spread_true <= 0:
        return 1.0 if right.sum() == total else 0.0
    return float((right.sum() * total - true @ given) / math.sqrt(spread_given * spread_true))
