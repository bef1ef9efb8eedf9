"""What a score or a spread is worth, measured on validation pictures: thresholds of names, factors of intervals."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Value

LEAST = 0.5  # of a name for which validation holds too little
FEW = 5  # pictures with a name, and without it, below which no threshold is measured
LEVEL = 0.9  # of an interval: how often it should hold the truth
NORMAL = 1.6448536269514722  # half the width of that interval, in spreads of a normal error


def measured(truths: Sequence[Annotation], answers: Sequence[Annotation]) -> dict[str, Any]:
    """What records of this kind are decided by: `names` of labels that stand together, `intervals` of numbers."""
    values = [(t, a) for t, a in zip(truths, answers, strict=True) if isinstance(t, Value) and isinstance(a, Value)]
    if values:
        return {"intervals": interval_factors([t for t, _ in values], [a for _, a in values])}
    labels = [(t, a) for t, a in zip(truths, answers, strict=True) if isinstance(t, Labels) and isinstance(a, Labels)]
    return {"names": name_thresholds([t for t, _ in labels], [a for _, a in labels])}


def name_thresholds(truths: Sequence[Labels], answers: Sequence[Labels]) -> dict[str, float]:
    """For each name the score from which saying it has the best F1; `LEAST` where there are too few to tell."""
    names = tuple(dict.fromkeys(name for answer in answers for name in answer.names))
    return {name: _best_threshold(*_column(name, truths, answers)) for name in names}


def _column(name: str, truths: Sequence[Labels], answers: Sequence[Labels]) -> tuple[np.ndarray, np.ndarray]:
    marks = np.array([truth.score(name) for truth in truths], np.float64)
    scores = np.array([answer.score(name) for answer in answers], np.float64)
    known = ~(np.isnan(marks) | np.isnan(scores))
    return marks[known] >= LEAST, scores[known]


def _best_threshold(holds: np.ndarray, scores: np.ndarray) -> float:
    if holds.sum() < FEW or (~holds).sum() < FEW:
        return LEAST
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(holds[order])
    good = 2 * found / (np.arange(1, len(found) + 1) + holds.sum())
    last = np.append(ranked[1:] < ranked[:-1], True)  # equal scores are taken together
    best = int(np.argmax(np.where(last, good, -1.0)))
    below = float(ranked[best + 1]) if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)  # half-way to the next, so that the last one taken is not on the edge


def interval_factors(truths: Sequence[Value], answers: Sequence[Value]) -> dict[str, float]:
    """How much wider each interval must be to hold `LEVEL` of what is so: split conformal prediction (Lei et al. 2018).

    With few pictures the largest miss counts, which promises as much as so few can.
    """
    missed: dict[str, list[float]] = {}
    for truth, answer in zip(truths, answers, strict=True):
        if answer.low is None or answer.high is None:
            continue
        for name, number in zip(truth.names, truth.numbers, strict=True):
            row = answer.names.index(name) if name in answer.names else -1
            half = float(answer.high[row] - answer.low[row]) / 2 if row >= 0 else 0.0
            if half > 0 and math.isfinite(float(number)):
                missed.setdefault(name, []).append(abs(float(number) - float(answer.numbers[row])) / half)
    return {name: _quantile(sorted(rows)) for name, rows in missed.items()}


def _quantile(rows: list[float]) -> float:
    place = math.ceil((len(rows) + 1) * LEVEL - 1e-9)
    return max(rows[min(place, len(rows)) - 1], 1e-3)


def widened(answer: Value, factors: Mapping[str, float]) -> Value:
    """The same numbers with intervals as wide as they have to be."""
    if answer.low is None or answer.high is None:
        return answer
    times = np.array([factors.get(name, 1.0) for name in answer.names])
    kind, middle = answer.numbers.dtype, answer.numbers.astype(np.float64)
    low, high = middle + (answer.low - middle) * times, middle + (answer.high - middle) * times
    return replace(answer, low=low.astype(kind), high=high.astype(kind))


def held(answer: Labels, thresholds: Mapping[str, float], least: float = LEAST) -> Labels:
    """The names that score enough, each by its own threshold, best first."""
    if answer.scores is None:
        return answer
    enough = answer.scores >= np.array([thresholds.get(name, least) for name in answer.names])
    order = [row for row in np.argsort(-answer.scores, kind="stable").tolist() if enough[row]]
    return Labels(tuple(answer.names[row] for row in order), answer.scores[order])


def bound(metric: Callable[..., Any], thresholds: Mapping[str, Any]) -> Callable[..., Any]:
    """The metric with what was measured, where it asks for `thresholds`; a metric that ranks does not."""
    asks = "thresholds" in inspect.signature(metric).parameters
    return partial(metric, thresholds=thresholds) if asks else metric
