"""From scores as a network gives them to scores that hold: of a hundred answers that score .8, eighty are right.

One number, the temperature, mostly mends them (Guo et al. 2017); a shift a name is added where that foretells better
what was not learnt from. Both are found by convex search, held back by a few pictures' worth of doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SCALES = (0.01, 20.0)
A_NAME = 20  # pictures a name, before it gets numbers of its own
_PRIOR = 20  # pictures' worth of belief that the scores are right already
_TINY = 1e-30
_FOLDS = 5


@dataclass(frozen=True)
class Mending:
    """How scores are mended: log scores times `scale` plus `shift`, then a sum of one over names, or each by itself."""

    scale: tuple[float, ...] = (1.0,)
    shift: tuple[float, ...] = ()
    apart: bool = False  # each score by itself: many names a picture, or things found in it

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """(..., names) of scores, mended."""
        if self.scale == (1.0,) and not self.shift:
            return scores
        shift = np.array(self.shift or (0.0,))
        plain = np.asarray(scores, np.float64)
        if self.apart:
            odds = np.log(plain.clip(_TINY, None)) - np.log1p(-plain.clip(None, 1 - 1e-12))
            return np.asarray(1 / (1 + np.exp(-(odds * np.array(self.scale) + shift))), scores.dtype)
        return np.asarray(_shares(_logs(plain) * np.array(self.scale) + shift), scores.dtype)


def mend(scores: np.ndarray, true: np.ndarray, *, folds: int = _FOLDS) -> Mending:
    """The temperature, and a shift a name where it foretells better what it was not learnt from."""
    logs = _logs(scores)
    names = logs.shape[1]
    plain = _surprise(logs, true)
    warm = _foretold(logs, true, _warmth, folds)
    if _surprise(warm, true).mean() > plain.mean():
        return Mending()
    counts = np.bincount(true, minlength=names)
    if counts.min() >= A_NAME:
        leaning = _foretold(logs, true, _lean, folds)
        gain = _surprise(warm, true) - _surprise(leaning, true)
        sure = gain.mean() > 2 * gain.std() / np.sqrt(len(gain))
        if sure and _found_each(leaning, true) >= _found_each(logs, true):
            scale, shift = _lean(logs, true)
            return Mending((scale,), tuple(shift.tolist()))
    return Mending((_warmth(logs, true)[0],))


_Learnt = tuple[float, np.ndarray]


def _warmth(logs: np.ndarray, true: np.ndarray) -> _Learnt:
    return fit(logs, true, shifted=False)


def _lean(logs: np.ndarray, true: np.ndarray) -> _Learnt:
    return fit(logs, true, shifted=True)


def line(scores: np.ndarray, true: np.ndarray, *, shifted: bool) -> tuple[float, float]:
    """Scale and shift of the odds of one score."""
    odds = np.log(scores.clip(_TINY, None)) - np.log1p(-scores.clip(None, 1 - 1e-12))
    scale, shift = fit(np.stack([np.zeros_like(odds), odds], 1), true.astype(np.int64), shifted=shifted)
    return scale, float(shift[1] - shift[0])


def fit(logs: np.ndarray, true: np.ndarray, *, shifted: bool, steps: int = 50) -> _Learnt:
    """The scale (and shifts) of log scores under which the true names surprise least: convex, so Newton finds it.

    As though a few pictures more had been seen on which the scores were right: with few pictures it stays near one.
    """
    count, names = logs.shape
    weight = _PRIOR / (count + _PRIOR)
    wanted = (1 - weight) * np.eye(names)[true] + weight * _shares(logs)
    size = 1 + names if shifted else 1
    at = np.zeros(size)
    at[0] = 1.0

    def lost(point: np.ndarray) -> float:
        return float(-(wanted * _log_shares(logs * point[0] + (point[1:] if shifted else 0.0))).sum(1).mean())

    now = lost(at)
    for _ in range(steps):
        shares = _shares(logs * at[0] + (at[1:] if shifted else 0.0))
        slope, bend = _slope(logs, shares, wanted, shifted)
        step = np.linalg.solve(bend + 1e-9 * np.eye(size), slope)
        tries = [_bounded(at - step / 2**halved) for halved in range(20)]
        there = next((point for point in tries if lost(point) <= now), at)
        gained, at = now - lost(there), there
        now -= gained
        if gained < 1e-12:
            break
    shift = at[1:] - at[1:].mean() if shifted else np.zeros(names)
    return float(at[0]), shift


def _bounded(point: np.ndarray) -> np.ndarray:
    return np.concatenate([point[:1].clip(*SCALES), point[1:]])


def _slope(logs: np.ndarray, shares: np.ndarray, wanted: np.ndarray, shifted: bool) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivatives of the surprise, by the scale and then by each shift."""
    count = len(logs)
    middle = (shares * logs).sum(1, keepdims=True)
    by_scale = ((shares - wanted) * logs).sum() / count
    bend = (shares * (logs - middle) ** 2).sum() / count
    if not shifted:
        return np.array([by_scale]), np.array([[bend]])
    both = np.empty((1 + logs.shape[1],) * 2)
    both[0, 0] = bend
    both[0, 1:] = both[1:, 0] = (shares * (logs - middle)).sum(0) / count
    both[1:, 1:] = np.diag(shares.mean(0)) - shares.T @ shares / count
    return np.concatenate([[by_scale], (shares - wanted).mean(0)]), both


def _foretold(
    logs: np.ndarray, true: np.ndarray, teach: Callable[[np.ndarray, np.ndarray], _Learnt], folds: int
) -> np.ndarray:
    """Log scores of each picture, mended by what the pictures of other folds say."""
    told = np.empty_like(logs)
    fold = np.arange(len(logs)) % folds
    for number in range(folds):
        scale, shift = teach(logs[fold != number], true[fold != number])
        told[fold == number] = logs[fold == number] * scale + shift
    return told


def _found_each(logs: np.ndarray, true: np.ndarray) -> float:
    """The share found of each name, averaged: a shift must not pay with the rare ones."""
    right = logs.argmax(1) == true
    return float(np.mean([right[true == name].mean() for name in np.unique(true)]))


def _surprise(logs: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.asarray(-_log_shares(logs)[np.arange(len(true)), true])


def _logs(scores: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.asarray(scores, np.float64).clip(_TINY, None)))


def _log_shares(logs: np.ndarray) -> np.ndarray:
    low: np.ndarray = logs - logs.max(-1, keepdims=True)
    return np.asarray(low - np.log(np.exp(low).sum(-1, keepdims=True)))


def _shares(logs: np.ndarray) -> np.ndarray:
    powers: np.ndarray = np.exp(logs - logs.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))
