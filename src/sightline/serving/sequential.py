"""Which of two arms is better, asked as often as one likes: intervals that hold at every look at once.

A difference of means gets the normal mixture of Robbins, as in the mixture SPRT: asymptotic, hence silent below
`FEWEST` subjects. A rate gets a fifth of its risk back for what needs no many: the likelihood of each arm's counts,
mixed over Jeffreys' prior, against any pair of true rates is a test martingale, so that the pairs which it does not
refute hold the true pair at all times (Ville's inequality); it finds a broken arm within a few outcomes.

Many requests of one caller say less than as many callers: variances are those of sums by caller, and counts are divided
by the design effect that they show (Rao and Scott). Rows of one stratum were drawn with constant shares; strata are
compared within themselves, so that a share that changes while the world changes is no evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RATE, MEAN, RATIO = "rate", "mean", "ratio"  # of 0 to 1; of any number; of logarithms, told as one arm over the other
LEVEL = 0.95
FEWEST = 30  # subjects of an arm, before a mean or clustered rows are judged
EVENTS = 10  # outcomes of each sort in each arm, before a rate is taken for normal
SCALE = 0.2  # the difference, in standard deviations, that is found soonest
FEW = 0.2  # the part of a rate's risk that is spent on small counts
_FINE = 60  # halvings of an interval
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Sums:
    """What one arm did in one stratum, by subjects: all that the comparison needs."""

    subjects: int = 0
    count: float = 0.0  # of outcomes, n
    total: float = 0.0  # of outcomes, s
    squares: float = 0.0  # over subjects, of s s
    cross: float = 0.0  # of s n
    sizes: float = 0.0  # of n n

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray, subjects: Sequence[int] | np.ndarray | None = None) -> Sums:
        """Of outcomes, and whose they are; without `subjects` each is somebody's only one."""
        array = np.asarray(values, np.float64)
        each = np.arange(len(array)) if subjects is None else np.unique(np.asarray(subjects), return_inverse=True)[1]
        sizes, sums = np.bincount(each).astype(float), np.bincount(each, weights=array)
        found = (sizes.sum(), sums.sum(), sums @ sums, sums @ sizes, sizes @ sizes)
        return cls(len(sizes), *map(float, found))

    @property
    def mean(self) -> float:
        """Of the outcomes; 0 where there is none."""
        return self.total / self.count if self.count else 0.0

    @property
    def spread(self) -> float:
        """The sum, over subjects, of the squared distance of their sum from what the mean says."""
        return max(self.squares - 2 * self.mean * self.cross + self.mean**2 * self.sizes, 0.0)

    @property
    def variance(self) -> float:
        """Of the mean, as subjects differ."""
        enough = self.subjects > 1 and self.count
        return self.spread * self.subjects / (self.subjects - 1) / self.count**2 if enough else math.inf


Pair = tuple[Sums, Sums]  # control and challenger, in one stratum


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the challenger is from the control, and what may be said of it now."""

    kind: str
    control: float
    challenger: float
    difference: float  # challenger less control; for a ratio, challenger over control
    low: float
    high: float
    level: float
    counts: tuple[float, float]
    subjects: tuple[int, int]

    @property
    def even(self) -> float:
        """The difference of equals."""
        return 1.0 if self.kind == RATIO else 0.0

    @property
    def differs(self) -> bool:
        """Whether equality is refuted."""
        return not self.low <= self.even <= self.high

    def above(self, margin: float) -> bool:
        """Whether the challenger is certainly more than the control and a margin."""
        return self.low > margin

    def below(self, margin: float) -> bool:
        """Whether the challenger is certainly less than the control and a margin."""
        return self.high < margin


def compare(strata: Sequence[Pair], kind: str = RATE, *, level: float = LEVEL) -> Verdict:
    """Control against challenger, with an interval that holds at this look and at all others."""
    strata = _heard(strata)
    counts = (sum(pair[0].count for pair in strata), sum(pair[1].count for pair in strata))
    subjects = (sum(pair[0].subjects for pair in strata), sum(pair[1].subjects for pair in strata))
    control, challenger = (
        sum(pair[arm].total for pair in strata) / counts[arm] if strata else math.nan for arm in (0, 1)
    )
    difference, low, high = (_rates if kind == RATE else _means)(strata, 1 - level)
    if kind == RATIO:
        control, challenger, difference, low, high = map(_power, (control, challenger, difference, low, high))
    return Verdict(kind, control, challenger, difference, low, high, level, counts, subjects)


def refutes(strata: Sequence[Pair], *, level: float = LEVEL) -> bool:
    """Whether the interval of a rate has lost 0; the quick way to ask."""
    strata = _heard(strata)
    wide = _wide(strata, (1 - level) * (1 - FEW), EVENTS)
    if wide and abs(wide[0]) > wide[1]:
        return True
    return _known(strata) and _against(strata, 0.0) >= -math.log((1 - level) * FEW)


def share(hits: float, count: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Where the rate of one arm lies, at this look and at all others; outcomes of a subject each."""
    if not count:
        return 0.0, 1.0
    miss, wanted = count - hits, -math.log(1 - level)

    def refuted(rate: float) -> bool:
        return _mixed(hits, miss) - _log(hits, rate) - _log(miss, 1 - rate) >= wanted

    return _edge(refuted, hits / count, 0.0), _edge(refuted, hits / count, 1.0)


def _heard(strata: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in strata if pair[0].count and pair[1].count]


def _power(value: float) -> float:
    return math.exp(min(value, 700.0)) if not math.isnan(value) else value


# Rates


def _rates(strata: Sequence[Pair], risk: float) -> tuple[float, float, float]:
    """The difference in all strata together, and the least and greatest that are not refuted."""
    difference, low, high = _weighed(strata), -1.0, 1.0
    wide = _wide(strata, risk * (1 - FEW), EVENTS)
    if wide:
        difference, low, high = wide[0], max(low, wide[0] - wide[1]), min(high, wide[0] + wide[1])
    if not _known(strata):
        return difference, low, high

    def refuted(given: float) -> bool:
        return _against(strata, given) >= -math.log(risk * FEW)

    best = _bottom(lambda given: _against(strata, given), -1.0, 1.0)
    if refuted(best):  # no one difference suits all strata
        return difference, low, high
    return difference, max(low, _edge(refuted, best, -1.0)), min(high, _edge(refuted, best, 1.0))


def _known(strata: Sequence[Pair]) -> bool:
    """Whether there is anything to go by: single outcomes from the first on, clustered ones with enough subjects."""
    if not strata:
        return False
    single = all(arm.count == arm.subjects for pair in strata for arm in pair)
    return single or min(sum(pair[arm].subjects for pair in strata) for arm in (0, 1)) >= FEWEST


def _weighed(strata: Sequence[Pair]) -> float:
    weights = [pair[0].count * pair[1].count / (pair[0].count + pair[1].count) for pair in strata]
    gaps = [pair[1].mean - pair[0].mean for pair in strata]
    return sum(w * gap for w, gap in zip(weights, gaps, strict=True)) / sum(weights) if strata else math.nan


def _against(strata: Sequence[Pair], difference: float) -> float:
    """The least evidence, over all rates of the control, against the challenger's being `difference` higher."""
    return sum(_against_one(pair, difference) for pair in strata)


def _against_one(pair: Pair, difference: float) -> float:
    effect = _effect(pair)
    (yes, no), (hit, miss) = [(arm.total / effect, (arm.count - arm.total) / effect) for arm in pair]
    mixed = _mixed(yes, no) + _mixed(hit, miss)
    if difference == 0.0:
        rate = (yes + hit) / (yes + no + hit + miss)
    else:
        rate = _rate(yes, no, hit, miss, difference)
    return (
        mixed - _log(yes, rate) - _log(no, 1 - rate) - _log(hit, rate + difference) - _log(miss, 1 - rate - difference)
    )


def _rate(yes: float, no: float, hit: float, miss: float, difference: float) -> float:
    """The control's likeliest rate where the challenger's is `difference` higher: where a falling slope crosses 0."""

    def slope(rate: float) -> float:
        return (
            yes / max(rate, _LEAST) - no / max(1 - rate, _LEAST)
            + hit / max(rate + difference, _LEAST) - miss / max(1 - rate - difference, _LEAST)
        )  # fmt: skip

    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    for _ in range(_FINE):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return (low + high) / 2


def _effect(pair: Pair) -> float:
    """How many outcomes say as much as one of a subject of its own; at least 1."""
    if all(arm.count == arm.subjects for arm in pair):
        return 1.0
    rate = (pair[0].total + pair[1].total) / (pair[0].count + pair[1].count)
    usual = sum(arm.count for arm in pair) * rate * (1 - rate)
    shown = sum(arm.spread * arm.subjects / max(arm.subjects - 1, 1) for arm in pair)
    sizes = sum(arm.sizes for arm in pair) / sum(arm.count for arm in pair)  # as if a subject's outcomes were all equal
    return min(max(1.0, shown / usual), sizes) if usual > 0 else max(1.0, sizes)


def _mixed(yes: float, no: float) -> float:
    return math.lgamma(yes + 0.5) + math.lgamma(no + 0.5) - math.lgamma(yes + no + 1) - math.log(math.pi)


def _log(count: float, share: float) -> float:
    return count * math.log(max(share, _LEAST)) if count else 0.0


def _bottom(height: Callable[[float], float], low: float, high: float) -> float:
    """Where a valley is deepest."""
    for _ in range(_FINE):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if height(left) <= height(right) else (left, high)
    return (low + high) / 2


def _edge(refuted: Callable[[float], bool], inside: float, outside: float) -> float:
    """Between what is not refuted and the end of all that there is: where refutation begins."""
    if not refuted(outside):
        return outside
    for _ in range(_FINE // 2):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if refuted(middle) else (middle, outside)
    return outside


# Means


def _means(strata: Sequence[Pair], risk: float) -> tuple[float, float, float]:
    wide = _wide(strata, risk, 0)
    return (wide[0], wide[0] - wide[1], wide[0] + wide[1]) if wide else (_weighed(strata), -math.inf, math.inf)


def _wide(strata: Sequence[Pair], risk: float, events: int) -> tuple[float, float] | None:
    """The difference of means and how far it may be off; None where there is too little to go by."""
    parts = []
    for control, challenger in strata:
        variance = control.variance + challenger.variance
        enough = min(control.subjects, challenger.subjects) >= FEWEST
        if events:
            sorts = [sort for arm in (control, challenger) for sort in (arm.total, arm.count - arm.total)]
            enough = enough and min(sorts) / _effect((control, challenger)) >= events
        if enough and 0 < variance < math.inf:
            parts.append((challenger.mean - control.mean, variance, 1 / control.count + 1 / challenger.count))
    if not parts:
        return None
    precision = sum(1 / variance for _, variance, _ in parts)
    difference = sum(gap / variance for gap, variance, _ in parts) / precision
    variance = 1 / precision
    prior = SCALE**2 * variance * sum(1 / share for _, _, share in parts)  # the last two: the variance of one outcome
    far = math.sqrt(variance * (variance + prior) / prior * (2 * math.log(1 / risk) + math.log1p(prior / variance)))
    return difference, far
