"""Which labels a classifier that never saw them would not have given (Northcutt, Jiang and Chuang 2021).

Ridge regression in closed form, five folds that never part a group; its answers become probabilities by one
temperature, and a label is doubted when another name is both probable for its class and much more probable than it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from sightline.core.chance import generator

FOLDS = 5
STRENGTHS = (0.02, 0.06, 0.2)  # of the ridge, in units of the mean variance; the best is chosen out of fold
PLENTY = 0.8  # probability of another name that is enough whatever its class is used to
ODDS = 10.0  # of another name against the given one, from which a label is doubted
CHUNK = 2048


@dataclass(frozen=True, eq=False)
class Judged:
    """What a classifier thinks of labels that it never saw; one row a label."""

    probabilities: np.ndarray  # (n, names), out of fold
    given: np.ndarray  # (n,) the labels

    @property
    def confidence(self) -> np.ndarray:
        """The probability of each given label: the lower, the more suspect."""
        return np.asarray(self.probabilities[np.arange(len(self.given)), self.given])

    @property
    def better(self) -> np.ndarray:
        """The most probable other name."""
        others = self.probabilities.copy()
        others[np.arange(len(others)), self.given] = -1
        return np.asarray(others.argmax(1))

    @property
    def accuracy(self) -> float:
        """How often its first choice is the given label."""
        return float((self.probabilities.argmax(1) == self.given).mean())

    @property
    def gain(self) -> float:
        """The share that it mends of the mistakes of always saying the commonest name."""
        floor = float(np.bincount(self.given).max() / len(self.given))
        return (self.accuracy - floor) / (1 - floor) if floor < 1 else 0.0

    @property
    def doubted(self) -> np.ndarray:
        """Rows whose label is doubted, the most suspect first."""
        rows = np.arange(len(self.given))
        other = self.better
        own = self.confidence
        usual = np.ones(self.probabilities.shape[1])
        for name in np.unique(self.given):  # where all is easy, the mean of a class would ask for too much
            usual[name] = min(PLENTY, float(own[self.given == name].mean()))
        chance = self.probabilities[rows, other]
        suspect = (chance >= usual[other]) & (chance >= ODDS * own)
        order = np.argsort(own, kind="stable")
        return np.asarray(order[suspect[order]])


def judge(features: np.ndarray, given: np.ndarray, names: int, groups: Sequence[str | None] = ()) -> Judged:
    """Probabilities of every name for every row, from the folds that the row is not in."""
    table = _Table(features, *_standard(features))
    folds = _folds(len(given), groups)
    targets = np.eye(names, dtype=np.float32)[given] - np.float32(1 / names)
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1), "sightline-judge") as pool:
        inside = [np.flatnonzero(folds == fold) for fold in range(FOLDS)]
        sums = list(pool.map(lambda rows: table.products(rows, targets), inside))
    return Judged(_out_of_fold(table, sums, folds, given), given)


@dataclass(frozen=True, eq=False)
class _Table:
    """Features of one scale, some rows at a time."""

    features: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def rows(self, rows: np.ndarray) -> np.ndarray:
        part = self.features[rows].astype(np.float32)
        part -= self.mean
        part *= self.scale
        return np.asarray(part)

    def products(self, rows: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features by features (the upper half alone, packed) and features by targets, summed over rows."""
        from scipy.linalg.blas import ssyrk
        from scipy.linalg.lapack import strttp

        width = self.features.shape[1]
        gram = np.zeros((width, width), np.float32, order="F")
        cross = np.zeros((width, targets.shape[1]), np.float32)
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            part = self.rows(chunk)
            gram = ssyrk(1.0, part.T, beta=1.0, c=gram, overwrite_c=True)  # in place: a sum takes no further room
            cross += part.T @ targets[chunk]
        return strttp(gram)[0], cross


def _folds(count: int, groups: Sequence[str | None]) -> np.ndarray:
    """A fold a row, by chance; a group shares one."""
    folds = generator(0, "folds").permutation(count) % FOLDS
    first: dict[str, int] = {}
    for row, group in enumerate(groups):
        if group is not None:
            folds[row] = first.setdefault(group, int(folds[row]))
    return np.asarray(folds)


def _standard(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of every column, and what to multiply it by for a variance of about one."""
    total = np.zeros(features.shape[1])
    squares = np.zeros(features.shape[1])
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK].astype(np.float64)
        total += part.sum(0)
        squares += np.einsum("ij,ij->j", part, part)
    mean = total / len(features)
    spread = np.sqrt((squares / len(features) - mean**2).clip(0))
    return mean.astype(np.float32), (1 / (spread + 1e-3 * spread.mean() + 1e-12)).astype(np.float32)


def _out_of_fold(
    table: _Table, sums: list[tuple[np.ndarray, np.ndarray]], folds: np.ndarray, given: np.ndarray
) -> np.ndarray:
    """Probabilities at the strength with the least loss in the first fold, which tells as much as all of them."""
    from scipy.linalg.lapack import stpttr

    gram, cross = np.zeros_like(sums[0][0]), np.zeros_like(sums[0][1])
    for own_gram, own_cross in sums:
        gram += own_gram
        cross += own_cross
    scores, strengths = np.zeros((len(given), cross.shape[1]), np.float32), tuple[float, ...](STRENGTHS)
    inside = [np.flatnonzero(folds == fold) for fold in range(len(sums))]
    for rows, (own_gram, own_cross) in zip(inside, sums, strict=True):
        if not len(rows):
            continue
        others = stpttr(cross.shape[0], gram - own_gram)[0]
        weights = np.concatenate([_ridge(others, cross - own_cross, part) for part in strengths], 1)
        del others
        parts = [table.rows(rows[start : start + CHUNK]) @ weights for start in range(0, len(rows), CHUNK)]
        each = np.split(np.concatenate(parts), len(strengths), axis=1)
        best = min(range(len(each)), key=lambda n: _calibrated(each[n], given[rows])[0]) if len(each) > 1 else 0
        scores[rows], strengths = each[best], strengths[best : best + 1]
    return _stacked(_calibrated(scores, given)[1], given, folds)


def _ridge(gram: np.ndarray, cross: np.ndarray, strength: float) -> np.ndarray:
    from scipy.linalg import cho_factor, cho_solve

    place = np.diag_indices(len(gram))
    heavier = gram.copy(order="F")  # which the factor takes over
    heavier[place] += strength * gram[place].mean() + 1e-6
    factor = cho_factor(heavier, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, cross, check_finite=False))


def _calibrated(scores: np.ndarray, given: np.ndarray) -> tuple[float, np.ndarray]:
    """The log loss, and logarithms of probabilities at the temperature that makes the given labels most probable."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows = np.arange(len(given))

    def loss(power: float) -> float:
        return float(-log_softmax(scores * np.exp(power), axis=1)[rows, given].mean())

    found = minimize_scalar(loss, bounds=(-2, 5), method="bounded", options={"xatol": 0.02})
    return float(found.fun), log_softmax(scores * np.exp(found.x), axis=1)


def _stacked(logs: np.ndarray, given: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Probabilities by a logistic regression on the logarithms of others, from folds that a row is not in.

    It learns which names are mixed up: on CIFAR-10 it finds a tenth more of the wrong labels than one temperature does.
    """
    from scipy.special import softmax

    inputs = np.concatenate([logs - logs.mean(1, keepdims=True), np.ones((len(logs), 1))], 1).astype(np.float64)
    stacked = np.empty(logs.shape, np.float32)
    for half in (0, 1):
        own = folds % 2 == half
        if own.any() and not own.all():
            stacked[own] = softmax(inputs[own] @ _logistic(inputs[~own], given[~own], logs.shape[1]), axis=1)
        else:
            stacked[own] = np.exp(logs[own])
    return stacked


def _logistic(inputs: np.ndarray, given: np.ndarray, names: int) -> np.ndarray:
    """Weights that begin at "as it was", and are held there the more the fewer rows there are."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    start = np.eye(inputs.shape[1], names)
    targets = np.eye(names)[given]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(start.shape)
        logs = log_softmax(inputs @ weights, axis=1)
        away = weights - start
        slope = inputs.T @ (np.exp(logs) - targets) + away
        return float(-(logs * targets).sum() + (away**2).sum() / 2) / len(given), slope.ravel() / len(given)

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return np.asarray(found.x).reshape(start.shape)
