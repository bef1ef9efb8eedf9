"""Faults of boxes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sightline.checks._objects import objects_of, pixels_of, tell
from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.finding import Finding
from sightline.core.sample import Sample

SLACK = 1.0  # pixels that rounding may put a corner outside
TINY = 3.0  # pixels of the shorter side
TWIN = 0.95  # overlap of two boxes of one name from which they are the same thing, marked twice


def boxes_outside(data: Dataset) -> list[Finding]:
    """Boxes that reach past the picture: often swapped axes, or labels of another size."""

    def wrong(sample: Sample, truth: Objects) -> int:
        shape = pixels_of(sample)
        if shape is None or truth.boxes.shape[1] != 4:
            return 0  # a rotated box may reach out; a picture that is drawn has no header to ask
        limit = np.array([shape[-1], shape[-2]] * 2) + SLACK
        return int(((truth.boxes < -SLACK) | (truth.boxes > limit)).any(1).sum())

    do = "Look whether axes are swapped or labels belong to another size; a cleaned view cuts them to the picture."
    return _boxes("boxes_outside", "that reach outside the picture", data, wrong, do)


def empty_boxes(data: Dataset) -> list[Finding]:
    """Boxes without an inside: nothing can be learnt from them."""

    def wrong(sample: Sample, truth: Objects) -> int:
        return int(_without_inside(truth).sum())

    do = "Draw them again; a cleaned view does without them."
    return _boxes("empty_boxes", "without an inside", data, wrong, do)


def tiny_boxes(data: Dataset) -> list[Finding]:
    """Boxes of a pixel or two: a slip of the hand, or things too small to be seen."""

    def wrong(sample: Sample, truth: Objects) -> int:
        sides = truth.boxes[:, 2:4] if truth.boxes.shape[1] == 5 else truth.boxes[:, 2:] - truth.boxes[:, :2]
        return int(((sides.min(1, initial=np.inf) < TINY) & ~_without_inside(truth)).sum())

    do = "Look at them: remove slips of the hand, and use larger pictures for things that small."
    return _boxes("tiny_boxes", f"less than {TINY:.0f} pixels across", data, wrong, do, "note", 0.3)


def twin_boxes(data: Dataset) -> list[Finding]:
    """The same thing marked twice: every count of it is wrong, and a right answer is scored as a mistake."""

    def wrong(sample: Sample, truth: Objects) -> int:
        return int(_twins(truth).sum())

    do = "Remove one of each two; a cleaned view keeps the first."
    return _boxes("twin_boxes", "on top of another of the same name", data, wrong, do)


def _without_inside(truth: Objects) -> np.ndarray:
    """Which boxes have no area."""
    if truth.boxes.shape[1] == 5:
        return np.asarray((truth.boxes[:, 2:4] <= 0).any(1))
    return np.asarray(geometry.area(truth.boxes) <= 0)


def _twins(truth: Objects) -> np.ndarray:
    """Which boxes lie on an earlier one of the same name; rotated ones must be equal."""
    count = len(truth)
    if count < 2:
        return np.zeros(count, bool)
    if truth.boxes.shape[1] == 5:
        same = (np.abs(truth.boxes[:, None] - truth.boxes[None]) < 0.5).all(2)
    else:
        boxes = truth.boxes.astype(np.float64)
        same = geometry.overlap(boxes, boxes)[0] >= TWIN
    same &= truth.classes[:, None] == truth.classes[None]
    if truth.tracks is not None:
        same &= truth.tracks[:, None] == truth.tracks[None]
    return np.asarray(np.tril(same, -1).any(1))


def _boxes(
    check: str,
    what: str,
    data: Dataset,
    wrong: Callable[[Sample, Objects], int],
    do: str,
    severity: str = "warn",
    harm: float = 1.0,
) -> list[Finding]:
    found = [(sample.id, count) for sample, truth in objects_of(data) if (count := wrong(sample, truth))]
    return tell(check, f"boxes {what}", found, data, do, severity=severity, harm=harm)
