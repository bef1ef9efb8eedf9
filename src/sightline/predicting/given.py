"""An answer as it is acted on, and who gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sightline.core.annotations import Annotation
from sightline.core.decisions import Decision, decide, settings_of

if TYPE_CHECKING:
    from sightline.predicting.model import Model

HERE = "here"
CONFIDENCE = 0.8  # the score that needs nobody else, where none is named


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What is left of an answer after thresholds, what it comes to, and whose it is."""

    answer: Annotation
    decision: Decision | None
    by: str = HERE  # or model@version elsewhere
    alone: str = ""  # it was not sure here, and why nobody else was heard


def judged(model: Model, answer: Annotation, *, level: float | None = None, least: float | None = None) -> Given:
    """What a model's answer comes to by its own limits, or by those that are said."""
    several = model.task.several
    made = decide(answer, **settings_of(model.card["thresholds"], several, least))
    return Given(made, None if several else model.judge(made, level=level, least=least))
