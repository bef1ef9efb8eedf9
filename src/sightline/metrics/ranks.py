"""How far names in order are off; the order is that of the names in the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.core.tally import Tally, mean
from sightline.metrics._pairs import check_pairs

OF = "ordered"  # of names in order


def mean_rank_error(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean number of steps between the true and the given name."""
    ranks = _ranks(truths, predictions)
    return Tally(np.abs(ranks[:, :1] - ranks[:, 1:]), mean, "lower", limits=(0.0, math.inf))


def quadratic_kappa(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Cohen (1968): agreement beyond chance, where a miss by two steps costs four times one by one."""
    return Tally(_ranks(truths, predictions), _kappa, "higher", limits=(-1.0, 1.0))


def _kappa(ranks: np.ndarray) -> float:
    """One minus the mean square of the steps over that of all pairs of a truth and an answer.

    As twice the covariance, so that one and the same answer to everything gives 0 to the last bit.
    """
    true, given = ranks.T
    chance = float(np.var(true) + np.var(given) + (np.mean(true) - np.mean(given)) ** 2)
    return 2 * float(np.mean((true - np.mean(true)) * (given - np.mean(given)))) / chance if chance else math.nan


def _ranks(truths: Sequence[Labels], predictions: Sequence[Labels]) -> np.ndarray:
    """(n, 2) places of the true and the given name; NaN where a score is none."""
    check_pairs(truths, predictions)
    order = max((given.names for given in predictions), key=len, default=())
    seen = (*order, *sorted({name for record in (*truths, *predictions) for name in record.names} - set(order)))
    place = {name: rank for rank, name in enumerate(seen)}
    rows = []
    for row, (truth, given) in enumerate(zip(truths, predictions, strict=True)):
        if not truth.names or (truth.scores is None and len(truth.names) > 1):
            raise InputError("label", f"sample {row} has {len(truth.names)} true names; a rank is of exactly one.")
        broken = not given.names or (given.scores is not None and bool(np.isnan(given.scores).any()))
        rows.append((place[truth.best], math.nan if broken else place[given.best]))
    return np.array(rows, np.float64).reshape(-1, 2)
