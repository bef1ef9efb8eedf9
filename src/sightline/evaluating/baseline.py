"""The answers of something that has learnt next to nothing: what a model has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from sightline.core.annotations import Annotation, Labels, Picture, Value
from sightline.core.bicubic import bicubic
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.hierarchy import Tree
from sightline.core.inputs import coloured
from sightline.core.sample import Sample
from sightline.core.task import Facts, Task

Refer = Callable[[Sample], Annotation | None]


def floor_of(
    task: Task, facts: Facts, train: Dataset, samples: Sequence[Sample], truths: Sequence[Annotation] = ()
) -> tuple[str, list[Annotation]] | None:
    """The baseline of a task, in the names that the task answers with, which may be others than the labels hold."""
    same = task.kind is not Labels or set(facts.names) <= set(train.names)
    return baseline(task.kind, train, samples, truths, None if same else partial(task.reference, facts=facts))


def baseline(
    kind: type[Annotation],
    train: Dataset,
    samples: Sequence[Sample],
    truths: Sequence[Annotation] = (),
    refer: Refer | None = None,
) -> tuple[str, list[Annotation]] | None:
    """A name and one answer a sample, or None where no honest baseline is known for the record.

    Pictures are brought to the size and the channels of their `truths`. `refer` says what a sample's answer is
    measured against where that is another name than the one on its label.
    """
    if kind is Value and train.kind is Value:
        return _usual(train, samples)
    if kind is Labels and train.kind is Labels:
        counts = train.counts()
        if train.naming.many:
            scores = np.array([counts[name] / max(1, len(train)) for name in train.names], np.float32)
            return "each name as often as it is so", [Labels(train.names, scores) for _ in samples]
        names = Tree.of(train.names, train.details.get("parents") or {}).leaves
        if refer is not None:
            counts = _referred(train, refer)
            names = tuple(sorted(counts)) or names
        shares = np.array([counts[name] for name in names], np.float32)
        answer = Labels(names, shares / max(1.0, float(shares.sum())))
        return f"always {answer.best}", [answer for _ in samples]
    if kind is Picture and train.kind is Picture:
        try:
            wanted: list[Annotation | None] = [*truths] or [sample.truth for sample in samples]
            return _as_they_came([sample.pixels() for sample in samples], wanted)
        except InputError:
            return None
    return None


def _referred(train: Dataset, refer: Refer) -> Counter[str]:
    """How often each name is what an answer is measured against."""
    found = (refer(sample) for sample in train if isinstance(sample.truth, Labels) and sample.truth.names)
    return Counter(truth.best for truth in found if isinstance(truth, Labels) and truth.best is not None)


def _as_they_came(given: Sequence[np.ndarray], truths: Sequence[Annotation | None]) -> tuple[str, list[Annotation]]:
    """Pictures as they came, enlarged where the truth is larger; what is no picture of theirs is left out."""
    answers: list[Annotation] = []
    grown = False
    for pixels, truth in zip(given, truths, strict=True):
        if isinstance(truth, Picture):
            wanted = truth.pixels
            few = pixels.shape[-1] == wanted.shape[-1] + 1  # the last says what is missing
            kept = pixels[..., :-1] if few else coloured(pixels, wanted.shape[-1])
            grown = grown or kept.shape[:2] != wanted.shape[:2]
            pixels = bicubic(kept, wanted.shape[:2]) if kept.ndim == 3 else kept
        answers.append(Picture(pixels))
    return "the picture as it came" + (", enlarged by bicubic interpolation" if grown else ""), answers


def _usual(train: Dataset, samples: Sequence[Sample]) -> tuple[str, list[Annotation]]:
    """The median of each number, which promises no interval."""
    rows: dict[str, list[float]] = {}
    for sample in train:
        if isinstance(sample.truth, Value):
            for name, number in zip(sample.truth.names, sample.truth.numbers.tolist(), strict=True):
                rows.setdefault(name, []).append(number)
    middle = np.array([np.nanmedian(row) for row in rows.values()])
    return "always the median", [Value(tuple(rows), middle) for _ in samples]
