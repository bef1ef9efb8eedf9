"""How well names are told that do not exclude one another; a score of NaN in the truth marks what nobody knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.tally import SHARE, Tally, mean
from sightline.metrics._pairs import check_pairs, column, number_names

OF = "several"  # of answers that hold any number of names
LEAST = 0.5  # the score from which a name is said where nothing better was measured
Thresholds = Mapping[str, Any] | None  # what an evaluation measured: the score for each name is under "names"


def mean_average_precision(truths: Sequence[Labels], predictions: Sequence[Labels]) -> Tally:
    """Mean over names of the area under precision and recall: how well its pictures come before the others."""
    marks, scores = _table(truths, predictions)
    return Tally(np.concatenate([marks, scores], 1), _mean_area, "higher", limits=SHARE)


def macro_f1(truths: Sequence[Labels], predictions: Sequence[Labels], *, thresholds: Thresholds = None) -> Tally:
    """Mean over names of F1, so that a rare name weighs as much as a common one."""
    return Tally(_outcomes(truths, predictions, thresholds), _macro, "higher", limits=SHARE)


def micro_f1(truths: Sequence[Labels], predictions: Sequence[Labels], *, thresholds: Thresholds = None) -> Tally:
    """F1 over all decisions of all pictures together."""
    return Tally(_outcomes(truths, predictions, thresholds), _micro, "higher", limits=SHARE)


def sample_f1(truths: Sequence[Labels], predictions: Sequence[Labels], *, thresholds: Thresholds = None) -> Tally:
    """Mean over pictures of F1; where no name holds and none is said, nothing is wrong."""
    counts = _by_kind(_outcomes(truths, predictions, thresholds)).sum(2)
    rows = np.where(counts.sum(0) == 0, 1.0, 2 * counts[0] / np.where(counts.sum(0) == 0, 1, _weighed(counts)))
    return Tally(rows[:, None], mean, "higher", limits=SHARE)


def exact_match(truths: Sequence[Labels], predictions: Sequence[Labels], *, thresholds: Thresholds = None) -> Tally:
    """Share of pictures for which every name is right."""
    counts = _by_kind(_outcomes(truths, predictions, thresholds)).sum(2)
    wrong = counts[1] + counts[2]
    return Tally(np.where(np.isnan(wrong), np.nan, wrong == 0)[:, None], mean, "higher", limits=SHARE)


def hamming_loss(truths: Sequence[Labels], predictions: Sequence[Labels], *, thresholds: Thresholds = None) -> Tally:
    """Share of decisions, a name of a picture each, that are wrong."""
    counts = _by_kind(_outcomes(truths, predictions, thresholds)).sum(2)
    asked = column((~np.isnan(row)).sum() for row in _table(truths, predictions)[0])[:, 0]
    return Tally(np.stack([counts[1] + counts[2], asked], 1), _ratio, "lower", limits=SHARE)


def _table(truths: Sequence[Labels], predictions: Sequence[Labels]) -> tuple[np.ndarray, np.ndarray]:
    """(n, names) what is so, 1, 0 or NaN, and (n, names) scores; names are in alphabetical order."""
    check_pairs(truths, predictions)
    names = number_names(record.names for record in (*truths, *predictions))
    tables = []
    for records in (truths, predictions):
        table = np.zeros((len(records), len(names)))
        for row, record in enumerate(records):
            table[row, [names[name] for name in record.names]] = 1.0 if record.scores is None else record.scores
        tables.append(table)
    marks, scores = tables
    return np.where(np.isnan(marks), np.nan, marks >= LEAST), scores


def _outcomes(truths: Sequence[Labels], predictions: Sequence[Labels], thresholds: Thresholds) -> np.ndarray:
    """(n, 3 names): found, said wrongly, missed; all 0 where nothing is known, NaN where the score is none."""
    marks, scores = _table(truths, predictions)
    names = number_names(record.names for record in (*truths, *predictions))
    measured = (thresholds or {}).get("names", {})
    least = np.array([measured.get(name, LEAST) for name in names])
    said, known, broken = scores >= least, ~np.isnan(marks), np.isnan(scores)
    holds = marks == 1
    outcomes = np.concatenate([holds & said, known & ~holds & said, holds & ~said], 1).astype(np.float64)
    return np.where(np.tile(broken, 3), np.nan, outcomes)


def _by_kind(outcomes: np.ndarray) -> np.ndarray:
    """(3, n, names) found, said wrongly, missed."""
    return np.stack(np.split(outcomes, 3, axis=1))


def _weighed(counts: np.ndarray) -> Any:
    """What F1 divides twice the found by."""
    return 2 * counts[0] + counts[1] + counts[2]


def _macro(outcomes: np.ndarray) -> float:
    counts = outcomes.sum(0).reshape(3, -1)
    below = _weighed(counts)
    if np.isnan(below).any() or not (below > 0).any():
        return math.nan
    return float(np.mean(2 * counts[0][below > 0] / below[below > 0]))


def _micro(outcomes: np.ndarray) -> float:
    counts = outcomes.sum(0).reshape(3, -1).sum(1)
    below = float(_weighed(counts))
    return 2 * float(counts[0]) / below if below else math.nan


def _ratio(rows: np.ndarray) -> float:
    wrong, asked = rows.sum(0).tolist()
    return wrong / asked if asked else math.nan


def _mean_area(rows: np.ndarray) -> float:
    """Average precision of each name, equal scores taken together; names that hold nowhere say nothing."""
    marks, scores = np.split(rows, 2, axis=1)
    if np.isnan(scores).any():
        return math.nan
    if not np.isnan(marks).any():
        found = _areas(marks, scores)
    else:  # each name over the pictures of which it is known
        known = ~np.isnan(marks)
        columns = range(marks.shape[1])
        found = np.concatenate([_areas(marks[known[:, c], c, None], scores[known[:, c], c, None]) for c in columns])
    return float(np.mean(found)) if len(found) else math.nan


def _areas(marks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The area of each column in which a mark is set."""
    held = marks.any(0)
    if not held.any():
        return np.zeros(0)
    order = np.argsort(-scores[:, held], axis=0, kind="stable")
    ranked, hits = np.take_along_axis(scores[:, held], order, 0), np.take_along_axis(marks[:, held], order, 0)
    found = np.cumsum(hits, 0)
    precision = found / np.arange(1, len(hits) + 1)[:, None]
    last = np.ones(ranked.shape, bool)
    last[:-1] = ranked[1:] < ranked[:-1]
    if not last.all():  # the precision of equal scores is that of the last of them
        places = np.where(last, np.arange(len(hits))[:, None], len(hits))
        ends = np.minimum.accumulate(places[::-1], 0)[::-1]
        precision = np.take_along_axis(precision, ends, 0)
    return np.asarray((precision * hits).sum(0) / found[-1])
