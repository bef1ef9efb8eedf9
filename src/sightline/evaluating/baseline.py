"""The answers of something that has learnt next to nothing: what a model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Annotation, Labels, Picture
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.sample import Sample


def baseline(kind: type[Annotation], train: Dataset, samples: Sequence[Sample]) -> tuple[str, list[Annotation]] | None:
    """A name and one answer a sample, or None where no honest baseline is known for the record."""
    if kind is Labels and train.kind is Labels:
        counts = train.counts()
        names = train.names
        shares = np.array([counts[name] for name in names], np.float32)
        answer = Labels(names, shares / max(1.0, float(shares.sum())))
        return f"always {answer.best}", [answer for _ in samples]
    if kind is Picture and train.kind is Picture:
        try:
            return "the picture as it came", [Picture(sample.pixels()) for sample in samples]
        except InputError:
            return None
    return None
