"""Faults of what lies in boxes: masks, outlines, keypoints; and of class maps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.checks._objects import objects_of, pixels_of, tell
from sightline.checks._truths import maps_of
from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.finding import Finding

SLACK = 1.0  # pixels that rounding may put a point outside
APART = 0.5  # overlap of a box with the hull of its mask below which one of them is wrong


def empty_masks(data: Dataset) -> list[Finding]:
    """Things whose mask marks nothing."""
    found = [
        (sample.id, count)
        for sample, truth in objects_of(data)
        if truth.masks is not None and (count := int((~truth.masks.reshape(len(truth), -1).any(1)).sum()))
    ]
    return tell("empty_masks", "masks without a pixel", found, data, "Draw them again, or remove the things.")


def masks_beside_boxes(data: Dataset) -> list[Finding]:
    """Things whose box and mask lie in different places: one of the two belongs to something else."""
    found = []
    for sample, truth in objects_of(data):
        if truth.masks is None or truth.masks.ndim != 3 or truth.boxes.shape[1] != 4:
            continue
        hulls = [_hull(mask) for mask in truth.masks]
        count = sum(
            hull is not None and _overlap(box, hull) < APART for box, hull in zip(truth.boxes, hulls, strict=True)
        )
        if count:
            found.append((sample.id, count))
    do = "Draw the boxes anew from the masks, unless the masks are the ones that are wrong."
    return tell("masks_beside_boxes", "masks that disagree with their box", found, data, do)


def keypoints_outside(data: Dataset) -> list[Finding]:
    """Keypoints past the edge of the picture that are marked as there: often swapped axes, or another size."""
    found = []
    for sample, truth in objects_of(data):
        shape = pixels_of(sample)
        if truth.keypoints is None or shape is None:
            continue
        x, y, seen = np.moveaxis(truth.keypoints, 2, 0)
        outside = (x < -SLACK) | (y < -SLACK) | (x > shape[-1] + SLACK) | (y > shape[-2] + SLACK)
        if count := int((outside & (seen > 0)).sum()):
            found.append((sample.id, count))
    do = "Look whether the axes are swapped; mark points that cannot be seen as absent."
    return tell("keypoints_outside", "keypoints outside the picture", found, data, do)


def crossed_outlines(data: Dataset) -> list[Finding]:
    """Outlines that cross themselves: points in the wrong order, and an inside that is not what was meant."""
    found = []
    for sample, truth in objects_of(data):
        if count := sum(_crosses(ring) for ring in _rings(truth)):
            found.append((sample.id, count))
    do = "Draw them again; where a line crosses itself, what is inside depends on who fills it."
    return tell("crossed_outlines", "outlines that cross themselves", found, data, do)


def maps_of_another_size(data: Dataset) -> list[Finding]:
    """Class maps that are not the size of their picture: labels of a scaled, cut or turned copy."""
    found = []
    for sample, truth in maps_of(data):
        shape = pixels_of(sample)
        if shape and truth.classes.shape[-2:] != tuple(shape[-2:]):
            found.append((sample.id, 1))
    do = "Write the maps at the size of the pictures, without smoothing between classes."
    return tell("maps_of_another_size", "class maps of another size than their picture", found, data, do)


def _hull(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _overlap(box: np.ndarray, hull: tuple[int, int, int, int]) -> float:
    width = min(box[2], hull[2]) - max(box[0], hull[0])
    height = min(box[3], hull[3]) - max(box[1], hull[1])
    shared = max(0.0, float(width)) * max(0.0, float(height))
    union = float((box[2] - box[0]) * (box[3] - box[1])) + (hull[2] - hull[0]) * (hull[3] - hull[1]) - shared
    return shared / max(union, 1e-9)


def _rings(truth: Objects) -> Iterator[np.ndarray]:
    for rings in getattr(truth, "outlines", None) or ():
        yield from rings


def _crosses(ring: np.ndarray) -> bool:
    """Whether two sides that are not neighbours meet in a point inside both; all pairs of sides at once."""
    points = ring[np.any(ring != np.roll(ring, 1, 0), 1)].astype(np.float64)  # a point said twice is one point
    count = len(points)
    if count < 4:
        return False
    start, end = points, np.roll(points, -1, 0)
    for first in range(0, count, 256):  # an outline of thousands of points in bounded memory
        a, b = start[first : first + 256, None], end[first : first + 256, None]
        c, d = start[None], end[None]
        cross = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
        if cross.any():
            return True
    return False


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """On which side of the line from a to b the point c lies."""
    return np.asarray(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    )
