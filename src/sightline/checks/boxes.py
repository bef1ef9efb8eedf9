"""Faults of boxes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.finding import Finding
from sightline.core.known import KnownImage, remember
from sightline.core.sample import Sample

SLACK = 1.0  # pixels that rounding may put a corner outside


def boxes_outside(data: Dataset) -> list[Finding]:
    """Boxes that reach past the picture: often swapped axes, or labels of another size."""

    def wrong(sample: Sample, truth: Objects) -> int:
        image = sample.images[0] if sample.images else None
        shape = image.shape if isinstance(image, KnownImage) else None
        if shape is None or truth.boxes.shape[1] != 4:
            return 0  # a rotated box may reach out; a picture that is drawn has no header to ask
        limit = np.array([shape[-1], shape[-2]] * 2) + SLACK
        return int(((truth.boxes < -SLACK) | (truth.boxes > limit)).any(1).sum())

    return _finding("boxes_outside", "that reach outside the picture", data, wrong)


def empty_boxes(data: Dataset) -> list[Finding]:
    """Boxes without an inside: nothing can be learnt from them."""

    def wrong(sample: Sample, truth: Objects) -> int:
        if truth.boxes.shape[1] == 5:
            return int((truth.boxes[:, 2:4] <= 0).any(1).sum())
        return int((geometry.area(truth.boxes) <= 0).sum())

    return _finding("empty_boxes", "without an inside", data, wrong)


def _finding(check: str, what: str, data: Dataset, wrong: Callable[[Sample, Objects], int]) -> list[Finding]:
    ids, boxes = [], 0
    for sample in remember(data) if data.kind is Objects else ():
        if isinstance(sample.truth, Objects) and (count := wrong(sample, sample.truth)):
            ids.append(sample.id)
            boxes += count
    if not boxes:
        return []
    return [Finding(check, "warn", f"{boxes} boxes {what} in {len(ids)} pictures", tuple(ids[:20]), boxes)]
