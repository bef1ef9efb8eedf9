"""What part of the rate a step learns with."""

from __future__ import annotations

from collections.abc import Sequence

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.training.settings import Settings


def factor(settings: Settings, progress: float, step: float, scores: Sequence[float]) -> float:
    """The warm-up, then the schedule; `step` is the part of the phase that one step is, `scores` higher better."""
    schedule = catalog.find("schedules", settings.schedule)
    try:
        found: float = schedule(progress, scores, **settings.schedule_settings)
    except TypeError as error:
        raise SettingsError(f"train.schedule_settings do not suit '{settings.schedule}': {error}.") from error
    return found * min(1.0, (progress + step) / settings.warmup) if settings.warmup else found
