"""Drawn data for the tasks whose labels are not one name a picture."""

from dataclasses import replace

import numpy as np

from sightline.core.annotations import Labels, Value
from sightline.core.dataset import Dataset
from sightline.core.sample import Sample
from sightline.sources.drawn import dataset
from sightline.testing.toys import toy

GRADES = tuple(f"grade {number}" for number in range(5))
ABOVE = {"sphere": "rolls", "cylinder": "rolls", "cone": "stands", "cube": "stands"}


def colours(count: int = 600, *, size: int = 48) -> Dataset:
    """Solids on a table by their colours: one to three names a picture."""
    samples = []
    for sample in dataset("shapes", count, size=size):
        names = tuple(sorted(sample.attributes["colours"]))
        samples.append(Sample(sample.id, sample.images, Labels(names)))
    names = tuple(sorted({name for sample in samples for name in sample.truth.names}))  # type: ignore[union-attr]
    return Dataset(samples, name="colours", names=names, kind=Labels, recipe=f"colours {count} {size}")


def squares(count: int = 400) -> Dataset:
    """How much of the picture a bright square covers, in per cent, and of which band it is."""
    samples = []
    for row, sample in enumerate(toy(Value, count)):
        share = float(sample.truth.numbers[0]) * 100  # type: ignore[union-attr]
        samples.append(replace(sample, truth=Value(("percent", "band"), np.array([share, row % 3]))))
    return Dataset(samples, name="squares", names=("percent", "band"), kind=Value, recipe=f"squares {count}")


def grades(count: int = 400) -> Dataset:
    """The same squares, graded by their size."""
    samples = []
    for sample in toy(Value, count):
        side = float(np.sqrt(sample.truth.numbers[0]))  # type: ignore[union-attr]
        grade = int(np.clip((side - 0.25) / 0.25 * 5, 0, 4))
        samples.append(replace(sample, truth=Labels((GRADES[grade],))))
    return Dataset(samples, name="grades", names=GRADES, kind=Labels, recipe=f"grades {count}")


def solids(count: int = 400, *, size: int = 48, vague: int = 0) -> Dataset:
    """Solids by names in names; every `vague`-th picture has the name above alone."""
    samples = []
    for row, sample in enumerate(dataset("shapes", count, size=size)):
        shape = sample.truth.best  # type: ignore[union-attr]
        name = ABOVE[shape] if vague and row % vague == 0 else f"{ABOVE[shape]}/{shape}"
        samples.append(replace(sample, truth=Labels((name,))))
    names = tuple(sorted({sample.truth.best for sample in samples}))  # type: ignore[union-attr]
    return Dataset(samples, name="solids", names=names, kind=Labels, recipe=f"solids {count} {size} {vague}")
