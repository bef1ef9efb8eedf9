"""What is explained, by record: one number that an answer holds, and the same number before it is decoded.

A record that a network answers with needs one function here. The first number is read from any answer, so that even a
bundle can be asked; the second is read from the outputs of a network in torch, so that gradients lead back from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Labels, Objects, Regions, Value, Vector
from sightline.core.errors import SettingsError, UnknownNameError, nearest
from sightline.core.inputs import Frame
from sightline.core.task import Facts

if TYPE_CHECKING:
    from torch import Tensor

Outputs = Mapping[str, Any]
_EDGE = 1e-6  # scores are kept this far from 0 and 1, so that their odds stay finite


@dataclass(frozen=True, eq=False)
class Question:
    """Why this answer and not another: what it is about in words, and its number."""

    words: str
    score: float  # of the answer that is explained, as people read it
    read: Callable[[Annotation], float]  # the number of any answer; for shares their log odds
    share: Callable[[float], float]  # that number on a scale of 0 to 1, or unchanged where it has none
    traced: Callable[[Outputs, int, Frame], Tensor] | None = (
        None  # of a row of outputs; None: only answers can be asked
    )


def ask(
    kind: type[Annotation], facts: Facts, answer: Annotation, name: str | None = None, other: Annotation | None = None
) -> Question:
    """The question for an answer: its best name or object, its number; a vector is asked about beside another one."""
    if kind not in _QUESTIONS:
        known = ", ".join(sorted(record.__name__ for record in _QUESTIONS))
        raise SettingsError(f"answers that are {kind.__name__} cannot be explained yet; these can: {known}.")
    if name is not None and name not in facts.names:
        raise UnknownNameError(
            f"the model knows no '{name}'.{nearest(name, facts.names)} Known: {', '.join(facts.names) or 'no names'}."
        )
    return _QUESTIONS[kind](facts, answer, name, other)


def log_odds(score: float) -> float:
    """A share as its log odds, finite at both ends."""
    held = min(1 - _EDGE, max(_EDGE, score))
    return math.log(held / (1 - held))


def odds_back(number: float) -> float:
    """The way back."""
    return 0.5 * (1 + math.tanh(number / 2))


def _labels(facts: Facts, answer: Any, name: str | None, other: Any) -> Question:
    asked = answer.best if name is None else name
    place = facts.names.index(asked)

    def traced(outputs: Outputs, row: int, frame: Frame) -> Tensor:
        found: Tensor = _logits(outputs, len(facts.names))[row, place]
        return found

    return Question(asked, answer.score(asked), lambda given: log_odds(given.score(asked)), odds_back, traced)  # type: ignore[attr-defined]


def _objects(facts: Facts, answer: Any, name: str | None, other: Any) -> Question:
    """The best object (of that name): how well the best of an answer's objects is it (Petsiuk et al. 2021)."""
    rows = [row for row in range(len(answer)) if name is None or answer.names[answer.classes[row]] == name]
    if not rows:
        raise SettingsError(f"there is no {name or 'object'} in the answer, so nothing can be explained.")
    scores = np.ones(len(answer)) if answer.scores is None else answer.scores
    row = max(rows, key=lambda place: float(scores[place]))
    asked, box, place = answer.names[answer.classes[row]], answer.boxes[row : row + 1], int(answer.classes[row])

    def read(given: Any) -> float:
        same = given.classes == place
        if not same.any():
            return log_odds(0.0)
        near = geometry.overlap(box.astype(np.float64), given.boxes[same].astype(np.float64))[0][0]
        return log_odds(float((near * given.scores[same]).max()))

    def traced(outputs: Outputs, at: int, frame: Frame) -> Tensor:
        boxes = outputs["boxes"][at].detach().numpy().astype(np.float64)
        logits = outputs["logits"][at][:, place]
        near = geometry.overlap(frame.boxes_in(box.astype(np.float64)), boxes)[0][0]
        best = int(np.argmax(near / (1 + np.exp(-logits.detach().numpy()))))
        found: Tensor = logits[best]
        return found

    return Question(asked, float(scores[row]), read, odds_back, traced)


def _value(facts: Facts, answer: Any, name: str | None, other: Any) -> Question:
    asked = answer.names[0] if name is None else name
    place = answer.names.index(asked)

    def traced(outputs: Outputs, row: int, frame: Frame) -> Tensor:
        wide = next(given for given in outputs.values() if given.ndim == 2 and given.shape[1] >= len(answer.names))
        found: Tensor = wide[row, place]
        return found

    return Question(asked, float(answer.numbers[place]), lambda given: float(given.numbers[place]), float, traced)  # type: ignore[attr-defined]


def _vector(facts: Facts, answer: Any, name: str | None, other: Any) -> Question:
    """How much the picture is like another one; without one, like itself."""
    beside = (answer if other is None else other).values
    beside = beside / max(1e-12, float(np.linalg.norm(beside)))

    def read(given: Any) -> float:
        return float(given.values @ beside) / max(1e-12, float(np.linalg.norm(given.values)))

    def traced(outputs: Outputs, row: int, frame: Frame) -> Tensor:
        mine = outputs["vector"][row]
        found: Tensor = (mine * mine.new_tensor(beside)).sum() / mine.norm()
        return found

    return Question("itself" if other is None else "the other picture", read(answer), read, float, traced)


def _regions(facts: Facts, answer: Any, name: str | None, other: Any) -> Question:
    """How much of the area of one name keeps it; the largest area that is no ground without a name."""
    counts = np.bincount(answer.classes.ravel(), minlength=len(answer.names))
    if name is None and len(counts) > 1:
        counts[0] = 0  # the ground comes first
    place = int(counts.argmax()) if name is None else answer.names.index(name)
    here = answer.classes == place

    def read(given: Any) -> float:
        return log_odds(float((given.classes[here] == place).mean()) if here.any() else 0.0)

    return Question(answer.names[place], float(here.mean()), read, odds_back)


_QUESTIONS: dict[type[Annotation], Callable[[Facts, Any, str | None, Any], Question]] = {
    Labels: _labels,
    Objects: _objects,
    Regions: _regions,
    Value: _value,
    Vector: _vector,
}


def _logits(outputs: Outputs, count: int) -> Any:
    """The scores of names before they become shares."""
    if "logits" in outputs and outputs["logits"].shape[-1] == count:
        return outputs["logits"]
    fitting = [given for given in outputs.values() if given.ndim == 2 and given.shape[1] == count]
    if len(fitting) != 1:
        raise SettingsError(
            f"the network gives {', '.join(outputs)}; none of them is one score for each of {count} names."
        )
    return fitting[0]
