"""One row of the log of predictions: from what was asked and answered, without a pixel of either."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, to_json
from sightline.core.decisions import Decision
from sightline.core.errors import SightlineError
from sightline.serving.asking import Ask, Reply

MOST_NAMES, MOST_OBJECTS = 10, 100  # the best ones; the log counts the others
FALLBACK = "fallback"
_STATUS = 422  # of a picture that cannot be used


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer, or the reason why there was none."""

    request: str
    model: str
    number: int = 0  # of the version; 0 where none was reached
    arm: str = ""
    experiment: str = ""
    shadow: bool = False  # nobody waited for it
    caller: str = ""  # as a keyed hash, once it is in the log
    digest: str = ""  # of the picture
    answer: Mapping[str, Any] | None = None  # plain JSON without pixels
    decision: Mapping[str, Any] | None = None
    best: str | None = None  # its first name
    score: float | None = None
    unsure: bool | None = None
    seconds: float = 0.0
    kept: bool = False  # from the memory of answers
    status: int = 200
    error: str = ""  # its code; `fallback` where another version had to answer
    time: float = 0.0  # seconds since 1970; 0: now


def answered(ask: Ask, reply: Reply, digest: str = "", seconds: float = 0.0, *, shadow: bool = False) -> Prediction:
    """The row of an answer; of an arm that could not answer, where another version did instead.

    Its time is what the reply says of itself, so that shadows are compared by the same clock; else `seconds`.
    """
    decision, spent = reply.decision, sum(reply.seconds.values()) or seconds
    best, score = _best(reply.answer, decision)
    return Prediction(
        ask.request, reply.model, reply.number, reply.drawn or reply.arm, reply.experiment, shadow, ask.caller, digest,
        slim(reply.answer), None if decision is None else _short(decision), best, score,
        None if decision is None else decision.unsure, spent, reply.kept, 200, FALLBACK if reply.drawn else "",
    )  # fmt: skip


def refused(
    ask: Ask, error: SightlineError, digest: str = "", seconds: float = 0.0, *, shadow: bool = False
) -> Prediction:
    """The row of a request without an answer, of the arm that had it, where one had."""
    status = int(getattr(error, "status", _STATUS))
    arm, experiment = str(getattr(error, "arm", "")), str(getattr(error, "experiment", ""))
    return Prediction(
        ask.request, ask.model, int(getattr(error, "number", 0)), arm, experiment, shadow, ask.caller, digest,
        seconds=seconds, status=status, error=error.code,
    )  # fmt: skip


def slim(answer: Annotation) -> dict[str, Any]:
    """An answer as plain JSON without pixels; the best of many names or objects, and of how many."""
    if isinstance(answer, Labels):
        return _labels(answer)
    if isinstance(answer, Objects):
        answer = replace(answer, masks=None)
        if len(answer) <= MOST_OBJECTS:
            return to_json(answer)
        scores = np.zeros(len(answer)) if answer.scores is None else answer.scores
        best = np.argsort(-scores, kind="stable")[:MOST_OBJECTS]
        return {**to_json(answer.take(best)), "of": len(answer)}
    if isinstance(answer, Picture):
        return {"kind": "picture", "shape": list(answer.pixels.shape), "dtype": str(answer.pixels.dtype)}
    if isinstance(answer, Heatmap):
        return {"kind": "heatmap", "shape": list(answer.scores.shape), "score": float(answer.score)}
    if isinstance(answer, Regions):
        counts = np.bincount(answer.classes.reshape(-1), minlength=len(answer.names)) / max(answer.classes.size, 1)
        shares = {name: round(float(share), 6) for name, share in zip(answer.names, counts, strict=True) if share}
        return {"kind": "regions", "shape": list(answer.classes.shape), "shares": shares}
    return to_json(answer)


def _labels(answer: Labels) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": "labels", "names": list(answer.names[:MOST_NAMES])}
    if answer.scores is not None:
        best = answer.leading(MOST_NAMES)
        plain["names"] = [answer.names[place] for place in best.tolist()]
        plain["scores"] = [_number(score) for score in answer.scores[best].tolist()]
    if len(answer.names) > MOST_NAMES:
        plain["of"] = len(answer.names)
    return plain if answer.outlier is None else {**plain, "outlier": _number(answer.outlier)}


def _short(decision: Decision) -> dict[str, Any]:
    plain: dict[str, Any] = {"names": list(decision.names[:MOST_NAMES]), "why": decision.why}
    if len(decision.names) > MOST_NAMES:
        plain["of"] = len(decision.names)
    return plain if decision.level is None else {**plain, "level": decision.level}


def _best(answer: Annotation, decision: Decision | None) -> tuple[str | None, float | None]:
    """The first name and its score; of things, the surest one."""
    if decision is not None:
        return decision.best, _number(decision.score)
    if isinstance(answer, Labels) and answer.names:
        return answer.best, _number(answer.score(answer.best))
    if isinstance(answer, Objects) and len(answer) and answer.scores is not None:
        first = int(np.argmax(answer.scores))
        return answer.names[answer.classes[first]], _number(answer.scores[first])
    return None, _number(answer.score) if isinstance(answer, Heatmap) else None


def _number(value: Any) -> float | None:
    plain = float(value)
    return round(plain, 6) if math.isfinite(plain) else None
