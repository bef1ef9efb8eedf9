"""The answers of something that has learnt next to nothing: what a model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.core.annotations import Annotation, Labels, Picture, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.hierarchy import Tree
from sightline.core.sample import Sample


def baseline(kind: type[Annotation], train: Dataset, samples: Sequence[Sample]) -> tuple[str, list[Annotation]] | None:
    """A name and one answer a sample, or None where no honest baseline is known for the record."""
    if kind is Value and train.kind is Value:
        return _usual(train, samples)
    if kind is Labels and train.kind is Labels:
        counts = train.counts()
        if train.naming.many:
            scores = np.array([counts[name] / max(1, len(train)) for name in train.names], np.float32)
            return "each name as often as it is so", [Labels(train.names, scores) for _ in samples]
        names = Tree.of(train.names, train.details.get("parents") or {}).leaves
        shares = np.array([counts[name] for name in names], np.float32)
        answer = Labels(names, shares / max(1.0, float(shares.sum())))
        return f"always {answer.best}", [answer for _ in samples]
    if kind is Picture and train.kind is Picture:
        try:
            return "the picture as it came", [Picture(sample.pixels()) for sample in samples]
        except InputError:
            return None
    return None


def _usual(train: Dataset, samples: Sequence[Sample]) -> tuple[str, list[Annotation]]:
    """The median of each number, which promises no interval."""
    rows: dict[str, list[float]] = {}
    for sample in train:
        if isinstance(sample.truth, Value):
            for name, number in zip(sample.truth.names, sample.truth.numbers.tolist(), strict=True):
                rows.setdefault(name, []).append(number)
    middle = np.array([np.nanmedian(row) for row in rows.values()])
    return "always the median", [Value(tuple(rows), middle) for _ in samples]
