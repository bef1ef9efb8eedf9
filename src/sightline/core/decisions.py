"""From every scored answer to what is acted on: a threshold, duplicates dropped, ragged borders smoothed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Labels, Objects, Regions, Value
from sightline.core.thresholds import held, widened

LEAST = 0.5  # the score that an object needs where nobody has measured a better one


def decide(
    answer: Annotation,
    *,
    least: float = LEAST,
    overlap: float = 0.7,
    names: Mapping[str, float] | None = None,
    intervals: Mapping[str, float] | None = None,
) -> Annotation:
    """Objects that score `least` or more, without lesser ones, of any name, in the same place.

    Where names stand side by side, those that reach their threshold in `names`; numbers with intervals as wide as
    `intervals` found that they must be; other records as is.
    """
    if isinstance(answer, Labels) and names is not None:
        return held(answer, names, least)
    if isinstance(answer, Value) and intervals:
        return widened(answer, intervals)
    if not isinstance(answer, Objects) or answer.scores is None:
        return answer
    sure = answer.take(answer.scores >= least)
    outline = sure.boxes if sure.boxes.shape[1] == 4 else geometry.upright(sure.boxes)
    scores = np.zeros(0) if sure.scores is None else sure.scores
    return sure.take(geometry.suppress(outline, scores, np.zeros(len(sure), np.int64), overlap))


def settings_of(thresholds: Mapping[str, Any], several: bool, least: float | None = None) -> dict[str, Any]:
    """What `decide` takes, out of what an evaluation measured; `least`, where somebody says it, goes before that."""
    names = (thresholds.get("names", {}) if least is None else {}) if several else None
    least = float(thresholds.get("score", LEAST)) if least is None else least
    return {"least": least, "names": names, "intervals": thresholds.get("intervals")}


def operating_point(truths: list[Objects], answers: list[Objects], *, match: float = 0.5) -> float:
    """The score at which precision and recall together (F1) are best; `LEAST` where nothing was ever right."""
    scores: list[np.ndarray] = []
    right: list[np.ndarray] = []
    for truth, answer in zip(truths, answers, strict=True):
        hits = np.zeros(len(answer), bool)
        place = {name: index for index, name in enumerate(answer.names)}
        wanted = np.array([place.get(truth.names[row], -1) for row in truth.classes], np.int64)
        if answer.scores is None:
            continue
        free = np.ones(len(truth), bool)
        for row in np.argsort(-answer.scores, kind="stable"):
            shared = geometry.overlap(answer.boxes[row : row + 1], truth.boxes)[0][0] if len(truth) else np.zeros(0)
            shared = np.where(free & (wanted == answer.classes[row]), shared, 0.0)
            if len(shared) and shared.max() >= match:
                free[shared.argmax()] = False
                hits[row] = True
        scores.append(answer.scores)
        right.append(hits)
    if not scores:
        return LEAST
    every, hit = np.concatenate(scores), np.concatenate(right)
    order = np.argsort(-every, kind="stable")
    every, found = every[order], np.cumsum(hit[order])
    if not len(found) or not found[-1]:
        return LEAST
    good = 2 * found / (np.arange(1, len(found) + 1) + sum(map(len, truths)))
    last = np.append(every[1:] < every[:-1], True)  # equal scores are taken together
    return float(every[np.argmax(np.where(last, good, -1.0))])


def smooth(answer: Regions, radius: int = 1) -> Regions:
    """Each pixel takes the class that most of its neighbours within `radius` have; ties stay as they were."""
    from scipy import ndimage

    side = 2 * radius + 1
    present = np.unique(answer.classes)
    votes = np.stack(
        [
            ndimage.convolve(
                (answer.classes == name).astype(np.int32), np.ones((side,) * answer.classes.ndim, np.int32)
            )
            for name in present
        ]
    )
    own = np.take_along_axis(votes, np.searchsorted(present, answer.classes)[None], 0)[0]
    winner = present[votes.argmax(0)].astype(answer.classes.dtype)
    return replace(answer, classes=np.where(votes.max(0) > own, winner, answer.classes))
