"""How far groups that were found by looks accord with the names that people gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.tally import Tally
from sightline.evaluating.intervals import Interval, interval

FEWEST = 10  # pictures with a name, below which nothing is said


@dataclass(frozen=True, slots=True)
class Accord:
    """Three measures with intervals, over the pictures that have one name, and the commonest names of each group."""

    count: int  # pictures
    names: int
    rand: Interval  # 1: the same groups, 0: as chance would have it (Hubert and Arabie 1985)
    information: Interval  # share of what names tell that groups tell too, and the other way (0 to 1)
    purity: Interval  # share of pictures whose name is the commonest of their group
    inside: tuple[tuple[tuple[str, int], ...], ...]  # names of each group, the commonest first

    @property
    def line(self) -> str:
        """All of it in one line."""
        parts = (("adjusted Rand", self.rand), ("mutual information", self.information), ("purity", self.purity))
        told = ", ".join(f"{name} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for name, one in parts)
        return f"against the {self.names:,} names of {self.count:,} pictures: {told}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        measures = {name: getattr(self, name).to_json() for name in ("rand", "information", "purity")}
        return {"count": self.count, "names": self.names, **measures, "inside": [dict(one) for one in self.inside]}


def accord(names: Sequence[str | None], groups: np.ndarray, count: int, seed: int = 0) -> Accord | None:
    """Names (None where there is not one) against `count` groups; None where too few pictures have one."""
    known = [place for place, name in enumerate(names) if name is not None]
    spelt = sorted({str(names[place]) for place in known})
    if len(known) < FEWEST or len(spelt) < 2:
        return None
    number = {name: place for place, name in enumerate(spelt)}
    rows = np.array([[number[str(names[place])], int(groups[place])] for place in known])
    inside = [Counter(spelt[name] for name in rows[rows[:, 1] == group, 0]) for group in range(count)]
    ordered = tuple(tuple(sorted(one.items(), key=lambda pair: (-pair[1], pair[0]))) for one in inside)

    def told(measure: Callable[[np.ndarray], float], least: float = 0.0) -> Interval:
        of = "fresh pictures, the groups kept"
        return interval(Tally(rows, measure, "higher", resample=False, of=of, limits=(least, 1)), seed=seed)

    return Accord(len(known), len(spelt), told(rand, -0.5), told(information), told(purity), ordered)


def rand(rows: np.ndarray) -> float:
    """The adjusted Rand index of two columns of whole numbers."""
    table = _table(rows).astype(np.float64)
    pairs, names, groups = (_pairs(one) for one in (table, table.sum(1), table.sum(0)))
    every = len(rows) * (len(rows) - 1) / 2
    usual = names * groups / every if every else 0.0
    most = (names + groups) / 2
    return 1.0 if most == usual else float((pairs - usual) / (most - usual))


def information(rows: np.ndarray) -> float:
    """Mutual information, divided by the mean of what the two columns tell each."""
    table = _table(rows) / max(1, len(rows))
    names, groups = table.sum(1), table.sum(0)
    there = table > 0
    shared = float((table[there] * np.log(table[there] / np.outer(names, groups)[there])).sum())
    mean = (_entropy(names) + _entropy(groups)) / 2
    return 1.0 if mean == 0 else max(0.0, shared / mean)


def purity(rows: np.ndarray) -> float:
    """The share of rows whose first number is the commonest among those with their second."""
    return float(_table(rows).max(0).sum() / max(1, len(rows)))


def _table(rows: np.ndarray) -> np.ndarray:
    names, groups = (np.unique(column, return_inverse=True) for column in rows.T)
    flat = names[1].ravel() * len(groups[0]) + groups[1].ravel()
    return np.bincount(flat, minlength=len(names[0]) * len(groups[0])).reshape(len(names[0]), -1)


def _pairs(counts: np.ndarray) -> float:
    return float((counts * (counts - 1)).sum() / 2)


def _entropy(shares: np.ndarray) -> float:
    known = shares[shares > 0]
    return -float((known * np.log(known)).sum())
