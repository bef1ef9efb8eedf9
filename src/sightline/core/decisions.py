"""From every scored answer to what is acted on: sets of names and doubts, thresholds, duplicates, smooth borders."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Labels, Objects, Regions, Value
from sightline.core.errors import InputError
from sightline.core.thresholds import held, widened

if TYPE_CHECKING:
    from sightline.core.calibration import Calibration

LEAST = 0.5  # the score that an object needs where nobody has measured a better one


@dataclass(frozen=True)
class Decision:
    """What one answer of names comes to: the best name, the names it may be, and whether a person should look."""

    best: str
    score: float
    names: tuple[str, ...]  # best first; never empty where there is a name
    level: float | None  # how often such names hold the true one, of pictures like those it learnt from
    outlier: float | None  # 0 is usual, more than 1 is unlike all that it learnt from
    why: str  # it is unsure; nothing where it is sure

    @property
    def unsure(self) -> bool:
        """Whether the answer is "I don't know"."""
        return bool(self.why)

    def stands(self, confidence: float) -> bool:
        """Whether nobody else need be asked: it scores so much, and is not unsure of itself."""
        return self.score >= confidence and not self.unsure

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "names": list(self.names), "unsure": self.unsure}

    @classmethod
    def from_json(cls, plain: Any) -> Decision:
        """What `to_json` wrote, perhaps on another machine; what cannot be true is refused."""
        kinds: dict[str, Any] = {"best": str, "score": (int, float), "names": list, "why": str, "unsure": bool}
        told = plain if isinstance(plain, dict) else {}
        level, outlier = told.get("level"), told.get("outlier")
        wrong = [name for name, kind in kinds.items() if not isinstance(told.get(name), kind)]
        wrong += [name for name in ("level", "outlier") if not isinstance(told.get(name), int | float | None)]
        if wrong:
            raise InputError("label", f"a decision whose {wrong[0]} is not there, or is of another type.")
        names = tuple(map(str, told["names"]))
        made = cls(told["best"], float(told["score"]), names, level, outlier, told["why"])
        if not 0 <= made.score <= 1 + 1e-6 or made.unsure != told["unsure"] or (names and made.best not in names):
            raise InputError("label", "a decision that contradicts itself.")
        return made


def judge(
    answer: Annotation, calibration: Calibration, *, level: float | None = None, least: float | None = None
) -> Decision | None:
    """Names with scores become a decision; None for other records. `least` doubts a best name that scores less."""
    if not isinstance(answer, Labels) or answer.scores is None or not answer.names:
        return None
    scores = np.asarray(answer.scores, np.float64)
    total = float(scores.sum())
    numbers = math.isfinite(total)  # what is no number stays in a sum
    if not numbers:
        scores = np.nan_to_num(scores, nan=-1.0)
        total = float(scores.sum())
    first = int(scores.argmax())
    best, score = answer.names[first], float(scores[first])
    kept, sets = np.array([first]), calibration.sets
    apart = calibration.mending.apart or abs(total - 1) > 0.01  # each name by itself
    if sets is not None and len(answer.names) == len(calibration.names):
        level = sets.usual if level is None else level
        inside = sets.names(scores[None], level)[0]
        kept = np.flatnonzero(inside | (np.arange(len(scores)) == first))
    elif apart:
        level, kept = None, np.flatnonzero(scores >= LEAST)
    else:
        level = None
    kept = kept[np.argsort(-scores[kept], kind="stable")] if len(kept) > 1 else kept
    names = tuple(answer.names[place] for place in kept)
    doubts = [
        "unlike the pictures it learnt from" if answer.outlier is not None and answer.outlier > 1 else "",
        f"may be {_listed(names)}" if len(names) > 1 and not apart else "",
        f"scores less than {least:g}" if least is not None and score < least else "",
        "its scores are no numbers" if not numbers and np.isnan(answer.scores).any() else "",
    ]
    return Decision(best, score, names, level, answer.outlier, "; ".join(filter(None, doubts)))


def suffices(answer: Annotation, decision: Decision | None, confidence: float) -> bool:
    """Whether an answer, with all that it weighed, needs no second one.

    Of a choice its decision says so. Of things, and of names that stand side by side, each must be as good as there
    (`confidence` or more) or as good as absent (no more than what is left to 1).
    """
    if decision is not None:
        return decision.stands(confidence)
    if not isinstance(answer, Labels | Objects) or answer.scores is None or not np.isfinite(answer.scores).all():
        return False
    weighed = decide(answer, least=1 - confidence)  # a lesser thing in the same place is no doubt of its own
    scores = np.asarray(getattr(weighed, "scores", ()))
    return bool(((scores >= confidence) | (scores <= 1 - confidence)).all())


def _listed(names: tuple[str, ...], most: int = 4) -> str:
    if len(names) > most:
        return f"any of {len(names)} names"
    return f"{', '.join(names[:-1])} or {names[-1]}"


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


def found(truth: Objects, answer: Objects, *, match: float = 0.5) -> np.ndarray:
    """Which answers find a true thing of their name that none with a higher score has found."""
    hits = np.zeros(len(answer), bool)
    place = {name: index for index, name in enumerate(answer.names)}
    wanted = np.array([place.get(truth.names[row], -1) for row in truth.classes], np.int64)
    free = np.ones(len(truth), bool)
    for row in np.argsort(-(np.ones(len(answer)) if answer.scores is None else answer.scores), kind="stable"):
        shared = geometry.overlap(answer.boxes[row : row + 1], truth.boxes)[0][0] if len(truth) else np.zeros(0)
        shared = np.where(free & (wanted == answer.classes[row]), shared, 0.0)
        if len(shared) and shared.max() >= match:
            free[shared.argmax()] = False
            hits[row] = True
    return hits


def operating_point(truths: list[Objects], answers: list[Objects], *, match: float = 0.5) -> float:
    """The score at which precision and recall together (F1) are best; `LEAST` where nothing was ever right."""
    scored = [(truth, answer) for truth, answer in zip(truths, answers, strict=True) if answer.scores is not None]
    scores = [answer.scores for _, answer in scored if answer.scores is not None]
    right = [found(truth, answer, match=match) for truth, answer in scored]
    if not scores:
        return LEAST
    every, hit = np.concatenate(scores), np.concatenate(right)
    order = np.argsort(-every, kind="stable")
    every, rightly = every[order], np.cumsum(hit[order])
    if not len(rightly) or not rightly[-1]:
        return LEAST
    good = 2 * rightly / (np.arange(1, len(rightly) + 1) + sum(map(len, truths)))
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
