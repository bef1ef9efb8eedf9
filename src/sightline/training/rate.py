"""How much of the learning rate a step takes: warm-up, then the schedule."""

from __future__ import annotations

from collections.abc import Sequence

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.training.settings import Settings


def factor(settings: Settings, epochs: float, done: float, length: int, scores: Sequence[float]) -> float:
    """The factor after so many epochs of a phase, each of `length` batches; `scores` so far, higher better."""
    progress = done / epochs
    schedule = catalog.find("schedules", settings.schedule)
    try:
        found: float = schedule(progress, scores, **settings.schedule_settings)
    except TypeError as error:
        raise SettingsError(f"train.schedule_settings do not suit '{settings.schedule}': {error}.") from error
    begun = progress + settings.accumulate / length / epochs
    return found * min(1.0, begun / settings.warmup) if settings.warmup else found
