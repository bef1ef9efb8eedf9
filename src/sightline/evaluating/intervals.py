"""How sure a number is: each method was chosen by measuring how often it covers (benchmarks/interval_coverage.py)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sightline.core.chance import generator
from sightline.core.tally import SHARE, Tally, between, mean, mean_known

_BLOCKS = 200  # at most: the t quantile and the cost no longer change much beyond
_LARGE = 200_000  # numbers, from which on fewer blocks are left out in turn
_FEWEST = 6  # rows: with fewer, drawn sets that do not vary spoil the bootstrap


@dataclass(frozen=True, slots=True)
class Interval:
    """A number, where it may lie, from how many samples, and of what."""

    value: float
    low: float
    high: float
    level: float
    count: int
    better: str
    of: str
    method: str

    def __str__(self) -> str:
        return f"{self.value:.4g} ({between(self.low, self.high)}, n={self.count})"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is not a finite number is null."""
        plain = asdict(self)
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in plain.items()}


def interval(tally: Tally, *, level: float = 0.95, draws: int = 1000, seed: int = 0) -> Interval:
    """The interval that suits the rows: Wilson, jackknife, bootstrap, or the half samples of a biased estimate."""
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1, not {level}")
    if tally.reduce is mean_known:  # rows without a say are no samples
        known = tally.take(~np.isnan(tally.rows).any(axis=1))
        tally = replace(known, reduce=mean)
    if math.isnan(tally.value):
        low, high, method = math.nan, math.nan, "none: the value is not a number"
    else:
        low, high, method = _choose(tally)(tally, level, draws, generator("interval", seed))
        low, high = max(low, tally.limits[0]), min(high, tally.limits[1])
    return Interval(tally.value, low, high, level, len(tally), tally.better, tally.of, method)


def jackknife(numbers: Callable[[np.ndarray], float], tally: Tally, seed: int = 0) -> tuple[float, int]:
    """Standard error of what `numbers` makes of kept rows, by leaving out each group or block once; and their count."""
    blocks = _blocks(tally, generator("blocks", seed))
    count = int(blocks.max(initial=-1)) + 1
    if count < 2:
        return math.nan, count
    left = np.array([numbers(np.flatnonzero(blocks != block)) for block in range(count)])
    left = left[np.isfinite(left)]
    if len(left) < 2:
        return math.nan, len(left)
    return float(np.sqrt((len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2))), len(left)


def halves(numbers: Callable[[np.ndarray], float], count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of half samples without copies, centred: half of n, all different, vary as n fresh ones do.

    (Politis and Romano 1994: the variance at b of n is (1 - b/n) n/b = 1 times that of the estimate at b = n/2.)
    """
    drawn = np.array([numbers(rng.permutation(count)[: count // 2]) for _ in range(draws)])
    drawn = drawn[np.isfinite(drawn)]
    return np.asarray(drawn - drawn.mean()) if len(drawn) else drawn


def student(level: float, count: int) -> float:
    """Two-sided quantile of Student's t for `count` blocks."""
    from scipy.special import stdtrit

    return float(stdtrit(max(1, count - 1), (1 + level) / 2))


_Method = Callable[[Tally, float, int, np.random.Generator], tuple[float, float, str]]


def _choose(tally: Tally) -> _Method:
    if not tally.resample:
        return _half_samples
    if not tally.smooth and tally.groups is None:
        return _bootstrap_root
    if tally.groups is None and tally.reduce is mean:
        share = tally.limits == SHARE and bool(np.isin(tally.rows, (0.0, 1.0)).all())
        return _wilson_rows if share else _bootstrap_t
    return _jackknife_t


def _wilson_rows(tally: Tally, level: float, draws: int, rng: np.random.Generator) -> tuple[float, float, str]:
    return *_wilson(tally.value, len(tally), student(level, 2**31)), "Wilson"


def _wilson(share: float, count: int, quantile: float) -> tuple[float, float]:
    """Wilson 1927: has a width also where all rows agree."""
    square = quantile**2
    centre = (share + square / 2 / count) / (1 + square / count)
    half = quantile / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / 4 / count**2)
    return min(centre - half, share), max(centre + half, share)


def _bootstrap_t(tally: Tally, level: float, draws: int, rng: np.random.Generator) -> tuple[float, float, str]:
    """Means of skewed rows (losses, errors) need the bootstrap of t, not of the mean (Hall 1988)."""
    rows, value, count = tally.rows.reshape(len(tally), -1).mean(1), tally.value, len(tally)
    if count < 2 or not np.isfinite(rows).all():
        return math.nan, math.nan, "none: too few finite rows"
    error = float(rows.std(ddof=1)) / math.sqrt(count)
    if count < _FEWEST:
        reach = student(level, count) * error
        return value - reach, value + reach, "Student"
    shifts = []
    for _ in range(draws):
        drawn = rows[rng.integers(0, count, count)]
        spread = float(drawn.std(ddof=1)) / math.sqrt(count)
        shifts.append((float(drawn.mean()) - value) / spread if spread > 0 else 0.0)
    low, high = np.quantile(shifts, [(1 - level) / 2, (1 + level) / 2])
    return value - float(high) * error, value - float(low) * error, "bootstrap t"


def _bootstrap_root(tally: Tally, level: float, draws: int, rng: np.random.Generator) -> tuple[float, float, str]:
    """Sums of absolute gaps: with copies they lie higher, so only their spread is taken, on roots."""
    count, draws = len(tally), min(draws, 200)
    drawn = np.array([tally.reduce(tally.rows[rng.integers(0, count, count)]) for _ in range(draws)])
    drawn = np.sqrt(drawn[np.isfinite(drawn)])
    if len(drawn) < 2 or tally.value < 0:
        return math.nan, math.nan, "none: too few samples"
    reach, root = student(level, count) * float(drawn.std(ddof=1)), math.sqrt(tally.value)
    return max(0.0, root - reach) ** 2, (root + reach) ** 2, "bootstrap, root"


def _jackknife_t(tally: Tally, level: float, draws: int, rng: np.random.Generator) -> tuple[float, float, str]:
    """Student's t around the value, on the logit scale between two limits; whole groups stay or go together."""
    whole = "samples" if tally.groups is None else "groups"
    error, count = jackknife(lambda kept: tally.reduce(tally.rows[kept]), tally)
    reach = student(level, count) * error
    value = tally.value
    least, most = tally.limits
    if not math.isfinite(most - least):
        return value - reach, value + reach, f"jackknife over {whole}"
    share, wide = (value - least) / (most - least), most - least
    if 0 < share < 1 and error > 0:
        centre, far = math.log(share / (1 - share)), reach / wide / (share * (1 - share))
        low, high = (least + wide * _logistic(end) for end in (centre - far, centre + far))
        return low, high, f"jackknife over {whole}, logit"
    if tally.limits != SHARE:
        return value - reach, value + reach, f"jackknife over {whole}"
    if count < 2:  # one group, or one sample that matters: nothing is known of others
        return 0.0, 1.0, f"none: fewer than two {whole}"
    return *_wilson(value, len(tally), student(level, count)), f"Wilson with t of {whole}"


def _half_samples(tally: Tally, level: float, draws: int, rng: np.random.Generator) -> tuple[float, float, str]:
    shifts = halves(lambda kept: tally.reduce(tally.rows[kept]), len(tally), min(draws, 200), rng)
    if len(shifts) < 2:
        return math.nan, math.nan, "none: too few samples"
    low, high = np.quantile(shifts, [(1 - level) / 2, (1 + level) / 2])
    return tally.value - float(high), tally.value - float(low), "half samples"


def _blocks(tally: Tally, rng: np.random.Generator) -> np.ndarray:
    """Which block each row belongs to: its group, or itself; joined at random where there are too many."""
    if tally.groups is None:
        units, rows = len(tally), np.arange(len(tally))
    else:
        names, rows = np.unique(tally.groups, return_inverse=True)
        units = len(names)
    most = _BLOCKS if tally.rows.size < _LARGE else _BLOCKS // 4
    return np.asarray((rng.permutation(units) % most)[rows] if units else rows)


def _logistic(number: float) -> float:
    return 0.5 * (1 + math.tanh(number / 2))
