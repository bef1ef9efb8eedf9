"""Sets of names that hold the true one as often as they say, whatever the network (Vovk 2005; Sadinle et al. 2019).

The score that the true name had on pictures set aside is ranked; the set of a new picture holds each name that conforms
at least as well as all but the share that may be missed. Over fresh draws of n set aside, the share of pictures whose
set holds the truth follows a Beta(n + 1 - k, k) law, k = floor((n + 1) x share missed): never less than promised on
average, and at most 1 / (n + 1) more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = (0.9, 0.95, 0.99)
WAYS = ("score", "mass")
_ENOUGH = 5  # pictures of a name that may be missed, before it gets a threshold of its own


@dataclass(frozen=True)
class Sets:
    """At which conformity a name is in the set, a level; one number for all names, or one each."""

    way: str  # "score": the score itself; "mass": what is left beside better names (Romano et al. 2020)
    usual: float
    levels: Mapping[float, tuple[float, ...]]
    count: int  # pictures that were set aside

    def names(self, scores: np.ndarray, level: float | None = None) -> np.ndarray:
        """(n, names) of scores to (n, names) of true and false; a set may be empty where nothing conforms."""
        chosen = self.usual if level is None else level
        if chosen not in self.levels:
            known = ", ".join(f"{each:g}" for each in self.levels)
            raise KeyError(f"no sets were made at {chosen:g}; there are {known}")
        return np.asarray(conformity(scores, self.way) >= np.array(self.levels[chosen]))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        levels = [{"level": level, "least": list(least)} for level, least in self.levels.items()]
        return {"way": self.way, "usual": self.usual, "levels": levels, "count": self.count}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Sets:
        levels = {float(row["level"]): tuple(map(float, row["least"])) for row in plain["levels"]}
        return cls(str(plain["way"]), float(plain["usual"]), levels, int(plain["count"]))


def conformity(scores: np.ndarray, way: str) -> np.ndarray:
    """(n, names): how well each name goes with the picture, the more the better."""
    plain = np.asarray(scores, np.float64)
    if way == "score":
        return plain
    order = np.argsort(-plain, axis=1, kind="stable")
    ranked = np.take_along_axis(plain, order, 1)
    left = 1.0 - (np.cumsum(ranked, 1) - ranked)
    return np.take_along_axis(left, np.argsort(order, axis=1, kind="stable"), 1)


def threshold(conforms: np.ndarray, level: float) -> float:
    """The conformity that a name needs, from that of the true name on pictures set aside; minus one takes all names."""
    missed = may_miss(len(conforms), level)
    return float(np.sort(conforms)[missed - 1]) if missed else -1.0


def may_miss(count: int, level: float) -> int:
    """Which rank, from the lowest, the threshold has among `count` pictures."""
    return math.floor((count + 1) * (1 - level) + 1e-9)


def make_sets(chosen: tuple[np.ndarray, np.ndarray], aside: tuple[np.ndarray, np.ndarray]) -> Sets | None:
    """Sets from (scores, numbers of the true names): what suits is chosen on one part, thresholds come from another.

    None where too few are set aside for any promise.
    """
    scores, true = aside
    levels = [level for level in LEVELS if may_miss(len(true), level) >= 1]
    if not levels:
        return None
    way, apart, right = _suits(*chosen) if len(chosen[1]) else ("score", False, 0.0)
    usual = next((level for level in levels if level > right), levels[-1])
    conforms = conformity(scores, way)
    own = conforms[np.arange(len(true)), true]
    made = {}
    for level in levels:
        counts = np.bincount(true, minlength=scores.shape[1])
        if apart and all(may_miss(int(count), level) >= _ENOUGH for count in counts):
            made[level] = tuple(threshold(own[true == name], level) for name in range(scores.shape[1]))
        else:
            made[level] = (threshold(own, level),)
    return Sets(way, usual, made, len(true))


def _suits(scores: np.ndarray, true: np.ndarray) -> tuple[str, bool, float]:
    """The way with the smaller sets, whether one threshold would fail some name, and the share of best names right."""
    level, rows = LEVELS[0], np.arange(len(true))
    sizes, held = {}, {}
    for way in WAYS:
        conforms = conformity(scores, way)
        inside = conforms >= threshold(conforms[rows, true], level)
        sizes[way], held[way] = float(np.maximum(1, inside.sum(1)).mean()), inside[rows, true]
    way = WAYS[0] if sizes[WAYS[0]] <= 1.02 * sizes[WAYS[1]] else WAYS[1]
    fails = False
    for name in np.unique(true):
        mine = held[way][true == name]
        short = level - float(mine.mean())
        fails = fails or short > 3 * math.sqrt(level * (1 - level) / len(mine))
    return way, fails, float((scores.argmax(1) == true).mean())
