"""How a flip and a window move each kind of record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Heatmap, Objects, Picture, Regions
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample


def with_pixels(sample: Sample, pixels: list[np.ndarray], truth: Annotation | None) -> Sample:
    """The sample with other pictures and truth."""
    images = tuple(ArrayImage(p, image.name) for p, image in zip(pixels, sample.images, strict=True))
    return replace(sample, images=images, truth=truth)


def aligned(sample: Sample) -> list[np.ndarray]:
    """The pictures of a sample, which one move can only serve if they and the truth have one size."""
    pixels = [image.read() for image in sample.images]
    size = pixels[0].shape[:-1]
    truth: Any = sample.truth
    sizes = [picture.shape[:-1] for picture in pixels]
    if isinstance(truth, Regions):
        sizes.append(truth.classes.shape)
    elif isinstance(truth, Heatmap):
        sizes.append(truth.scores.shape)
    elif isinstance(truth, Picture):
        sizes.append(truth.pixels.shape[:-1])
    elif isinstance(truth, Objects) and truth.masks is not None and len(truth):
        sizes.append(truth.masks.shape[1:])
    if any(other[-2:] != size[-2:] for other in sizes):
        raise InputError(
            "mismatch", f"{sample.id}: its pictures and truth differ in size ({sizes}); they must be aligned."
        )
    return pixels


def flipped(truth: Annotation | None, width: int) -> Annotation | None:
    """Left becomes right."""
    if isinstance(truth, Objects):
        changes: dict[str, Any] = {"boxes": _flipped_boxes(truth.boxes, width)}
        if truth.masks is not None:
            changes["masks"] = truth.masks[..., ::-1]
        if truth.keypoints is not None:
            if truth.mirror is None:
                raise InputError("label", "keypoints cannot be flipped without `mirror`, the left-right twin of each.")
            points = truth.keypoints[:, list(truth.mirror)].copy()
            points[..., 0] = width - points[..., 0]
            changes["keypoints"] = points
        return replace(truth, **changes)
    if isinstance(truth, Regions):
        return replace(truth, classes=truth.classes[..., ::-1])
    if isinstance(truth, Heatmap):
        return replace(truth, scores=truth.scores[..., ::-1])
    if isinstance(truth, Picture):
        return replace(truth, pixels=truth.pixels[..., ::-1, :])
    return truth


def _flipped_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    boxes = boxes.copy()
    if boxes.shape[1] == 5:
        boxes[:, 0] = width - boxes[:, 0]
        boxes[:, 4] = -boxes[:, 4]
    else:
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    return boxes


def windowed(
    truth: Annotation | None, top: int, left: int, rows: int, columns: int, *, least: float
) -> Annotation | None:
    """What remains inside a window; things of which less than `least` of the area remains are dropped."""
    window = (..., slice(top, top + rows), slice(left, left + columns))
    if isinstance(truth, Objects):
        return _windowed_objects(truth, window, top, left, rows, columns, least)
    if isinstance(truth, Regions):
        return replace(truth, classes=truth.classes[window])
    if isinstance(truth, Heatmap):
        return replace(truth, scores=truth.scores[window])
    if isinstance(truth, Picture):
        return replace(truth, pixels=truth.pixels[(*window, slice(None))])
    return truth


def _windowed_objects(
    truth: Objects, window: tuple[Any, ...], top: int, left: int, rows: int, columns: int, least: float
) -> Objects:
    shift = np.array([left, top], np.float32)
    if truth.boxes.shape[1] == 5:
        boxes = truth.boxes - np.array([left, top, 0, 0, 0], truth.boxes.dtype)
        inside = ((boxes[:, :2] >= 0) & (boxes[:, :2] < [columns, rows])).all(1)
    else:
        whole = truth.boxes - np.tile(shift, 2)
        boxes = geometry.clip(whole, columns, rows)
        inside = geometry.area(boxes) > least * np.maximum(geometry.area(whole), 1e-9)
    changes: dict[str, Any] = {"boxes": boxes}
    if truth.masks is not None:
        changes["masks"] = truth.masks[window]
    if truth.keypoints is not None:
        points = truth.keypoints - np.append(shift, 0).astype(np.float32)
        seen = ((points[..., :2] >= 0) & (points[..., :2] <= [columns, rows])).all(-1)
        points[..., 2] *= seen
        changes["keypoints"] = points
    return replace(truth, **changes).take(inside)
