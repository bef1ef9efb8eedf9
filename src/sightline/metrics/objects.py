"""How well things are found: average precision as COCO defines it (Lin et al. 2014), in numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally
from sightline.metrics._pairs import check_pairs, number_names

_OVERLAPS = np.linspace(0.5, 0.95, 10)  # COCO
_RECALLS = np.linspace(0.0, 1.0, 101)  # COCO
_MOST = 100  # answers of one class in one picture, COCO
_TINY = np.spacing(1)  # COCO's guard of a division


def average_precision(truths: Sequence[Objects], predictions: Sequence[Objects]) -> Tally:
    """COCO's main number: precision over recall, averaged over overlaps .50 to .95 and the classes that are there.

    On few samples it lies above what it would be on many (each precision is the best at that recall or beyond).
    """
    return _tally(truths, predictions, _OVERLAPS)


def average_precision_50(truths: Sequence[Objects], predictions: Sequence[Objects]) -> Tally:
    """The same where half an overlap is enough: was it found, rather than how exactly."""
    return _tally(truths, predictions, _OVERLAPS[:1])


def _tally(truths: Sequence[Objects], predictions: Sequence[Objects], overlaps: np.ndarray) -> Tally:
    check_pairs(truths, predictions)
    numbers = number_names(record.names for record in (*truths, *predictions))
    rows = np.empty(len(truths), object)
    for row, (truth, given) in enumerate(zip(truths, predictions, strict=True)):
        rows[row] = _row(truth, given, numbers, overlaps)
    return Tally(rows, _average, "higher", of="fresh samples, as many as here", limits=SHARE)


def _row(
    truth: Objects, given: Objects, numbers: dict[str, int], overlaps: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Score, class and hits (answers, overlaps) of each answer, best first, and the class of each true thing."""
    for record in (truth, given):
        if record.boxes.shape[1] != 4:
            raise InputError("label", "average precision takes upright boxes x0 y0 x1 y1, not rotated ones.")
    wanted, classes = (
        np.array([numbers[n] for n in r.names], np.int64)[r.classes.astype(np.int64)] for r in (truth, given)
    )
    scores = np.ones(len(given)) if given.scores is None else given.scores.astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    ordered = classes[order]
    if len(order) > _MOST:  # only then can one class have too many
        order = np.concatenate([order[ordered == number][:_MOST] for number in np.unique(ordered)])
        order = order[np.lexsort((order, -scores[order]))]
        ordered = classes[order]
    shared, _ = geometry.overlap(given.boxes[order].astype(np.float64), truth.boxes.astype(np.float64))
    shared = np.where(ordered[:, None] == wanted[None], shared, -1.0)
    return scores[order], ordered, _hits(shared, overlaps), wanted


def _hits(shared: np.ndarray, overlaps: np.ndarray) -> np.ndarray:
    """Each answer in turn takes the free thing it overlaps most; the last of equals, as COCO's code does."""
    hits = np.zeros((len(shared), len(overlaps)), bool)
    if not shared.size:
        return hits
    free = np.ones((len(overlaps), shared.shape[1]), bool)
    every = np.arange(len(overlaps))
    last = shared.shape[1] - 1
    for answer in np.flatnonzero(shared.max(1) >= overlaps[0]):
        open_to = np.where(free, shared[answer], -1.0)
        best = last - np.argmax(open_to[:, ::-1], axis=1)
        hit = open_to[every, best] >= overlaps
        hits[answer] = hit
        free[every[hit], best[hit]] = False
    return hits


def _average(rows: np.ndarray) -> float:
    """Mean of the interpolated precision over recalls, overlaps and the classes present, without a loop over them."""
    if not len(rows):
        return math.nan
    scores, classes, hits, wanted = (np.concatenate([row[part] for row in rows]) for part in range(4))
    things = np.bincount(wanted)
    if not things.size:
        return math.nan
    there = classes < len(things)
    there[there] = things[classes[there]] > 0
    order = np.flatnonzero(there)
    order = order[np.lexsort((-scores[order], classes[order]))]
    classes, hits = classes[order], hits[order]
    starts = np.searchsorted(classes, np.arange(len(things)))
    overlap, place = np.nonzero(hits.T)  # one entry a hit: by overlap, then class, then score
    if not len(place):
        return 0.0
    group = overlap * len(things) + classes[place]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(first, append=len(group))
    found = np.arange(len(group)) - np.repeat(first, sizes) + 1  # hits so far in the group
    precision = found / (place - starts[classes[place]] + 1 + _TINY)
    # The best precision at this recall or beyond: a running maximum from the end, kept apart by a step a group.
    step = 2.0 * np.repeat(np.arange(len(first))[::-1], sizes)
    precision = np.maximum.accumulate((precision + step)[::-1])[::-1] - step
    passed = np.searchsorted(_RECALLS, found / things[classes[place]], side="right")
    before = np.concatenate([[0], passed[:-1]])
    before[first] = 0  # recall 0 is reached at once
    total = float(np.sum(precision * (passed - before)))
    return float(total / (len(_RECALLS) * hits.shape[1] * np.count_nonzero(things)))
