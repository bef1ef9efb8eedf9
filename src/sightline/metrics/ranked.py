"""How well scores put the right ones first, whatever the threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.tally import SHARE, Tally, mean
from sightline.metrics._choices import chances


def roc_auc(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Chance that a sample of a name scores more for it than one of another name; averaged over names, one by one."""
    return Tally(chances(truths, predictions), _roc, "higher", limits=SHARE)


def precision_recall_auc(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Average precision of each name against all others, averaged over names: hard on what drowns a rare name."""
    rows = chances(truths, predictions)
    return Tally(rows, _curve, "higher", of="fresh samples, as many as here", limits=SHARE)


def sensitivity_at_specificity(
    truths: Sequence[Labels], predictions: Sequence[Labels], *, specificity: float = 0.9
) -> Tally:
    """Share found of a name where so many of the others are rightly refused (90 %), averaged over names.

    With two names it is that of the second in the order of the alphabet: pneumonia of normal and pneumonia.
    """
    of = "fresh samples, as many as here"
    return Tally(chances(truths, predictions), _found_at(specificity), "higher", of=of, limits=SHARE)


def top_5_accuracy(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Share of samples whose true name is among the five best."""
    rows = chances(truths, predictions)
    scores, true = rows[:, 1:], rows[:, 0].astype(np.int64)
    own = scores[np.arange(len(rows)), true][:, None]
    # of equal scores the later name comes first, as in scikit-learn
    later = np.arange(scores.shape[1]) > true[:, None]
    ahead = (scores > own).sum(1) + ((scores == own) & later).sum(1)
    right = (ahead < 5) & ~np.isnan(scores).any(1)
    return Tally(right[:, None].astype(np.float64), mean, "higher", limits=SHARE)


def _roc(rows: np.ndarray) -> float:
    return _averaged(_area, rows)


def _curve(rows: np.ndarray) -> float:
    return _averaged(_precisions, rows)


@cache
def _found_at(specificity: float) -> Callable[[np.ndarray], float]:
    """One function a specificity, so that two tallies of it are known to be of the same metric."""
    return partial(_averaged, partial(_sensitivity, specificity=specificity), second=True)


def _averaged(measure: Callable[[np.ndarray, np.ndarray], float], rows: np.ndarray, *, second: bool = False) -> float:
    """The mean over names, each against all others; a name that is always or never true has no say."""
    if not len(rows) or np.isnan(rows).any():
        return math.nan
    true, scores = rows[:, 0].astype(np.int64), rows[:, 1:]
    counts = np.bincount(true, minlength=scores.shape[1])
    names = np.flatnonzero((counts > 0) & (counts < len(rows)))
    if second and scores.shape[1] == 2:
        names = names[names == 1]
    return float(np.mean([measure(true == name, scores[:, name]) for name in names])) if len(names) else math.nan


def _steps(true: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of each kind score at least so much, from the highest score down; equal scores are one step."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    hits = np.cumsum(true[order])[last]
    return hits, np.flatnonzero(last) + 1 - hits


def _area(true: np.ndarray, scores: np.ndarray) -> float:
    hits, false = (np.concatenate([[0], some]) for some in _steps(true, scores))
    return float(np.sum(np.diff(false) * (hits[1:] + hits[:-1])) / (2.0 * hits[-1] * false[-1]))


def _precisions(true: np.ndarray, scores: np.ndarray) -> float:
    hits, false = _steps(true, scores)
    return float(np.sum(np.diff(hits, prepend=0) * hits / (hits + false)) / hits[-1])


def _sensitivity(true: np.ndarray, scores: np.ndarray, *, specificity: float) -> float:
    hits, false = (np.concatenate([[0], some]) for some in _steps(true, scores))
    return float(hits[false <= (1 - specificity) * false[-1] + 1e-9].max() / hits[-1])
