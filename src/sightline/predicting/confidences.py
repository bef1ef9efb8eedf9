"""What each confidence would send and get right: both models asked about every picture of which the truth is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sightline.core.annotations import Labels
from sightline.core.decisions import suffices
from sightline.core.errors import InputError, ServingError, SettingsError
from sightline.core.sample import Sample
from sightline.predicting.given import judged
from sightline.predicting.local_first import LocalFirst
from sightline.predicting.remote import Unanswered

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class Point:
    """One confidence, and what it comes to."""

    confidence: float | None  # None where all are sent or none
    sent: int  # pictures that the model here is not sure of
    right: int  # of all pictures, by whoever answers
    count: int


def curve(both: LocalFirst, samples: Iterable[Sample]) -> list[Point]:
    """None sent, each confidence, all sent; every picture travels once, so that nothing has to be guessed."""
    rows = []  # for each picture: at which confidences it stays, whether it is right here, and there
    for sample, answer in both.model.predict_all(samples):
        if isinstance(answer, InputError):
            raise answer
        if not isinstance(answer, Labels) or not isinstance(sample.truth, Labels) or both.model.task.several:
            raise SettingsError(f"{sample.id}: only pictures with one name each, in truth and answer, are compared.")
        decision = judged(both.model, answer, level=both.level, least=both.least).decision
        try:
            heard = both.heard(sample, answer)
        except Unanswered as silence:
            raise ServingError(
                "not_ready", f"{both.remote.address} must answer all pictures to be compared: {silence}."
            ) from silence
        stays = [suffices(answer, decision, level) for level in LEVELS]
        best = getattr(heard.answer, "best", "")
        rows.append((stays, answer.best == sample.truth.best, best == sample.truth.best))
    count = len(rows)
    if not count:
        raise SettingsError("no picture is there to be compared.")
    found = [Point(None, 0, sum(here for _, here, _ in rows), count)]
    for place, level in enumerate(LEVELS):
        right = sum(here if stays[place] else there for stays, here, there in rows)
        found.append(Point(level, sum(not stays[place] for stays, _, _ in rows), right, count))
    return [*found, Point(None, count, sum(there for _, _, there in rows), count)]
