"""Rows of numbers parted into groups around middles (k-means), and how many groups part them best.

A row may weigh as much as several: the answer is the same as if it were there so many times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.core.chance import generator

FEWEST, MOST = 2, 12  # groups that are tried where nobody says how many
STARTS = 4  # beginnings of which the best end is kept
_CHUNK = 1024  # rows whose distances to all others are held at once


@dataclass(frozen=True, eq=False)
class Groups:
    """Middles, the nearest of them for each row, and the sum of squared distances to it."""

    middles: np.ndarray  # (groups, width)
    nearest: np.ndarray  # (n,) which group a row is in
    inertia: float

    def __len__(self) -> int:
        return len(self.middles)

    def distances(self, values: np.ndarray) -> np.ndarray:
        """How far each row is from each middle."""
        return _distances(np.asarray(values, np.float64), self.middles)


@dataclass(frozen=True, slots=True)
class Score:
    """How well so many groups part the rows; both numbers are the better the larger they are."""

    count: int
    silhouette: float  # -1 to 1: how much nearer rows are to their own group than to the next (Rousseeuw 1987)
    ratio: float  # spread between groups to spread within, for each freedom (Calinski and Harabasz 1974)
    inertia: float


@dataclass(frozen=True, eq=False)
class Choice:
    """The number of groups that scored best, those groups, and the score of every number that was tried."""

    groups: Groups
    scores: tuple[Score, ...]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.groups)


def grouped(
    values: np.ndarray,
    count: int,
    *,
    weights: np.ndarray | None = None,
    seed: int = 0,
    starts: int = STARTS,
    times: int = 300,
    begin: np.ndarray | None = None,
) -> Groups:
    """At most `count` groups, each row with the nearest middle (Lloyd 1982); the best end of some beginnings.

    A beginning is rows far from each other, drawn by a chance that `seed` fixes (Arthur and Vassilvitskii 2007), or the
    middles that are given. Where fewer rows differ, there are fewer groups.
    """
    rows = np.asarray(values, np.float64)
    weights = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    middle = np.average(rows, axis=0, weights=weights)
    rows = rows - middle  # squares are the more exact the nearer rows are to zero
    best: Groups | None = None
    for start in range(1 if begin is not None else starts):
        middles = _begun(rows, weights, count, seed, start) if begin is None else np.asarray(begin, float) - middle
        found = _settled(rows, weights, middles, times)
        if best is None or found.inertia < best.inertia:
            best = found
    assert best is not None
    return Groups(best.middles + middle, best.nearest, best.inertia)


def choose(
    values: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    by: str = "silhouette",
    fewest: int = FEWEST,
    most: int = MOST,
    seed: int = 0,
    starts: int = STARTS,
    times: int = 300,
) -> Choice:
    """Every number of groups from `fewest` to `most` tried; kept is the one whose `silhouette` or `ratio` is largest.

    Of equal ones the fewest groups are kept. Rows that are all the same are one group.
    """
    best: tuple[float, Groups] | None = None
    scores: list[Score] = []
    for count in range(fewest, min(most, len(values) - (by == "silhouette")) + 1):
        groups = grouped(values, count, weights=weights, seed=seed, starts=starts, times=times)
        if len(groups) < count:  # no more rows differ
            break
        inner = silhouette(values, groups.nearest, weights) if by == "silhouette" else np.nan
        score = Score(count, inner, ratio(values, groups, weights), groups.inertia)
        scores.append(score)
        told = score.silhouette if by == "silhouette" else score.ratio
        if best is None or told > best[0]:
            best = told, groups
    if best is None:
        best = 0.0, grouped(values, 1, weights=weights)
    return Choice(best[1], tuple(scores))


def silhouette(values: np.ndarray, nearest: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The mean of `silhouettes`."""
    return float(np.average(silhouettes(values, nearest, weights), weights=weights))


def silhouettes(values: np.ndarray, nearest: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """For each row 1 where its group is far from all others, 0 between two, below 0 in the wrong one: exact, so
    quadratic in the number of rows. A row alone in its group has 0 (Rousseeuw 1987)."""
    rows = np.asarray(values, np.float64)
    weights = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    names, own = np.unique(nearest, return_inverse=True)
    if len(names) < 2:
        return np.zeros(len(rows))
    share = np.zeros((len(rows), len(names)))
    share[np.arange(len(rows)), own] = weights
    total = share.sum(0)
    found = np.zeros(len(rows))
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        sums = _distances(rows[part], rows, same=start) @ share
        place = np.arange(len(sums)), own[part]
        inside = sums[place] / np.maximum(total[own[part]] - 1, 1e-12)
        others = sums / total
        others[place] = np.inf
        outside = others.min(1)
        found[part] = (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-300)
    return np.where(total[own] > 1, found, 0.0)


def ratio(values: np.ndarray, groups: Groups, weights: np.ndarray | None = None) -> float:
    """Spread between groups to spread within, each for its freedoms; infinite where nothing is left within."""
    rows = np.asarray(values, np.float64)
    weights = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    total = float(weights @ np.square(rows - np.average(rows, axis=0, weights=weights)).sum(1))
    if groups.inertia <= 1e-12 * total:
        return float("inf")
    left = max(float(weights.sum()) - len(groups), 1e-12)
    return (total - groups.inertia) / max(1, len(groups) - 1) / (groups.inertia / left)


def _begun(rows: np.ndarray, weights: np.ndarray, count: int, seed: int, start: int) -> np.ndarray:
    """Rows far from each other: each drawn by its squared distance from those before, the best of a few draws."""
    chance = generator("grouping", seed, start)
    draws = 2 + int(np.log(max(1, count)))
    first = int(np.searchsorted(np.cumsum(weights), chance.random() * weights.sum(), side="right"))
    chosen = [min(first, len(rows) - 1)]
    squares = np.square(rows).sum(1)
    away = _squares(rows, rows[chosen], squares)[:, 0]
    away[chosen[0]] = 0
    while len(chosen) < count:
        heavy = np.cumsum(away * weights)
        if not heavy[-1] > 1e-14 * float(weights @ squares):
            break
        drawn = np.minimum(np.searchsorted(heavy, chance.random(draws) * heavy[-1], side="right"), len(rows) - 1)
        nearer = np.minimum(_squares(rows, rows[drawn], squares), away[:, None])
        nearer[drawn, np.arange(draws)] = 0
        best = int((weights @ nearer).argmin())
        chosen.append(int(drawn[best]))
        away = nearer[:, best]
    return np.asarray(rows[chosen])


def _settled(rows: np.ndarray, weights: np.ndarray, middles: np.ndarray, times: int) -> Groups:
    """Middles moved to the mean of their rows until none changes sides; one that is left alone takes the farthest."""
    across = np.ascontiguousarray(rows.T)
    weighed = rows * weights[:, None]
    nearest = _nearest(across, middles)
    for _ in range(times):
        before, total = nearest, np.bincount(nearest, weights, len(middles))
        sums = _sums(weighed, nearest, len(middles))
        middles = np.where(total[:, None] > 0, sums / np.maximum(total, 1e-300)[:, None], middles)
        if not total.all():
            away = np.square(rows - middles[nearest]).sum(1) * weights
            alone = np.flatnonzero(total == 0)[: len(rows)]
            middles[alone] = rows[np.argsort(-away, kind="stable")[: len(alone)]]
        nearest = _nearest(across, middles)
        if np.array_equal(nearest, before):
            break
    kept, nearest = np.unique(nearest, return_inverse=True)
    middles = middles[kept]
    inertia = float(weights @ np.square(rows - middles[nearest]).sum(1))
    return Groups(middles, np.asarray(nearest), inertia)


def _nearest(across: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Which middle is nearest to each column."""
    found = middles @ across
    found *= -2
    found += np.square(middles).sum(1)[:, None]
    return np.asarray(found.argmin(0))


def _sums(weighed: np.ndarray, nearest: np.ndarray, count: int) -> np.ndarray:
    """The sum of the rows of each group, by whichever way is the shorter."""
    if weighed.shape[1] <= count:
        return np.stack([np.bincount(nearest, column, count) for column in weighed.T], 1)
    share = np.zeros((count, len(weighed)))
    share[nearest, np.arange(len(weighed))] = 1
    return np.asarray(share @ weighed)


def _squares(rows: np.ndarray, middles: np.ndarray, squares: np.ndarray | None = None) -> np.ndarray:
    """Squared distances of rows from middles."""
    squares = np.square(rows).sum(1) if squares is None else squares
    return np.asarray(np.maximum(squares[:, None] + np.square(middles).sum(1) - 2 * rows @ middles.T, 0))


def _distances(rows: np.ndarray, others: np.ndarray, *, same: int | None = None) -> np.ndarray:
    """Distances; where rows are `others` from the place `same` on, a row is at 0 from itself."""
    middle = others.mean(0)
    found = np.sqrt(_squares(rows - middle, others - middle))
    if same is not None:
        found[np.arange(len(rows)), same + np.arange(len(rows))] = 0
    return np.asarray(found)
