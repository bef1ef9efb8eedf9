"""Which of two models is better, or an honest refusal to say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.core.chance import generator
from sightline.core.errors import InputError
from sightline.core.tally import Tally
from sightline.evaluating.intervals import halves, jackknife, student


@dataclass(frozen=True, slots=True)
class Comparison:
    """First minus second over the same samples; `ahead` is the share of draws in which the first is better."""

    difference: float
    low: float
    high: float
    level: float
    count: int
    better: str
    of: str
    ahead: float
    method: str

    @property
    def verdict(self) -> str:
        """ "first", "second" or "cannot tell": nothing is ranked while the interval holds zero."""
        if not (self.low > 0 or self.high < 0):
            return "cannot tell"
        return "first" if (self.low > 0) == (self.better == "higher") else "second"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is not a finite number is null."""
        plain = {**asdict(self), "verdict": self.verdict}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in plain.items()}


def compare(first: Tally, second: Tally, *, level: float = 0.95, draws: int = 1000, seed: int = 0) -> Comparison:
    """Both models face the same draws, so what is hard for both cancels."""
    _check(first, second)

    def apart(kept: np.ndarray) -> float:
        return float(first.reduce(first.rows[kept]) - second.reduce(second.rows[kept]))

    difference = first.value - second.value
    rng = generator("compare", seed)
    low = high = ahead = math.nan
    method = "none: too few samples or no number"
    if len(first) > 1 and math.isfinite(difference):
        if first.resample:
            drawn = np.array([apart(kept) for kept in _draws(first, draws, rng)])
        else:
            drawn = difference - halves(apart, len(first), min(draws, 200), rng)
        drawn = drawn[np.isfinite(drawn)]
    else:
        drawn = np.zeros(0)
    if len(drawn):
        wins = drawn > 0 if first.better == "higher" else drawn < 0
        ahead = float(np.mean(wins) + np.mean(drawn == 0) / 2)
        low, high, method = _reach(apart, first, difference, drawn, level)
    return Comparison(difference, low, high, level, len(first), first.better, first.of, ahead, method)


def _check(first: Tally, second: Tally) -> None:
    if len(first) != len(second):
        raise InputError("mismatch", f"{len(first)} samples against {len(second)}; score both models on the same ones.")
    if first.better != second.better or first.resample != second.resample or first.reduce != second.reduce:
        raise InputError("mismatch", "the two tallies are of different metrics; compare like with like.")
    if not _same(first.groups, second.groups):
        raise InputError("mismatch", "the two tallies have different groups; score both models on the same samples.")


def _same(first: np.ndarray | None, second: np.ndarray | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(first, second))


def _draws(tally: Tally, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Rows with copies; whole groups where there are groups."""
    if tally.groups is None:
        for _ in range(draws):
            yield rng.integers(0, len(tally), len(tally))
        return
    members = [np.flatnonzero(tally.groups == name) for name in np.unique(tally.groups)]
    for _ in range(draws):
        yield np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))])


def _reach(
    apart: Callable[[np.ndarray], float], tally: Tally, difference: float, drawn: np.ndarray, level: float
) -> tuple[float, float, str]:
    """Percentiles of the draws; a few groups are too few for that, so there Student's t over groups."""
    if tally.groups is not None:
        error, count = jackknife(apart, tally)
        reach = student(level, count) * error
        return difference - reach, difference + reach, "jackknife over groups"
    tail = (1 - level) / 2
    if tally.resample:
        # Percentiles are too narrow by what separates t from the normal (Hesterberg 2015).
        count = len(tally)
        tail = 0.5 * math.erfc(math.sqrt(count / (count - 1) / 2) * student(level, count))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high), "paired bootstrap" if tally.resample else "paired half samples"
