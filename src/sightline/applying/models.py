"""A trained model as a step: a bundle, or a run that has one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.decisions import decide, settings_of
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample


class ModelStep:
    """Answers as `sightline predict` does: calibrated, with the thresholds that were measured."""

    __module__ = "sightline.applying.models"

    def __init__(self, place: Path) -> None:
        from sightline.predicting.model import load

        self.model = load(place, threads=1)
        self.kind: type[Annotation] = self.model.task.kind
        self.version = self.model.version

    def __call__(self, image: np.ndarray, *, least: float | None = None) -> Annotation:
        """What the model says; `least` is the score that an answer needs, measured where it is not given."""
        pixels = image if image.ndim > 2 else image[..., None]
        answer = self.model.predict(Sample("picture", (ArrayImage(pixels),)))[0]
        settled = settings_of(self.model.card["thresholds"], self.model.task.several, least)
        return decide(answer, **settled)
