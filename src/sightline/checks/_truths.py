"""Labels that lie in files of their own, read whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sightline.core.annotations import Annotation, Regions
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.known import remember
from sightline.core.sample import Sample


def whole(sample: Sample) -> Annotation | InputError | None:
    """The label of a sample with everything that lies in files, or why that cannot be read."""
    try:
        return None if sample.truth is None else replace(sample.truth)
    except InputError as error:
        return error


def maps_of(data: Dataset) -> Iterator[tuple[Sample, Regions]]:
    """Every sample whose class map can be read, with pictures that know their size."""
    for sample in remember(data) if data.kind is Regions else ():
        truth = whole(sample)
        if isinstance(truth, Regions):
            yield sample, truth
