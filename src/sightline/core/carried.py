"""Every picture of a sample and everything known of it, carried along one warp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Heatmap, Objects, Picture, Regions
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.views import View
from sightline.core.warp import Border, Size, Warp

_PLACED = (Objects, Regions, Heatmap, Picture)  # records that lie somewhere in the picture
_TRAIL: ContextVar[list[Warp] | None] = ContextVar("trail", default=None)
_CURVED = 8  # points a side by which the edge of a box is followed along a field


@contextmanager
def trail() -> Iterator[list[Warp]]:
    """The warps that samples are carried along while this is open, in order: their inverses lead back."""
    kept: list[Warp] = []
    token = _TRAIL.set(kept)
    try:
        yield kept
    finally:
        _TRAIL.reset(token)


def carry(
    sample: Sample,
    warp: Warp,
    *,
    least: float = 0.25,
    border: Border | None = None,
    fill: float | None = None,
    antialias: bool = True,
) -> Sample:
    """The sample along a warp; things of which less than `least` of the area remains are dropped.

    Beyond the old edge the picture is reflected, except where things are marked: their mirror images would lack a mark,
    so there it is filled.
    """
    move = warp.move if antialias else None
    waiting = [image for image in sample.images if isinstance(image, View)]
    waits = move is not None and len(waiting) == len(sample.images)
    extents(sample)
    pixels = [] if waits else [image.read() for image in sample.images]
    border = border or ("fill" if isinstance(sample.truth, Objects) else "reflect")
    truth = carry_truth(sample.truth, warp, least=least, border=border, fill=fill)
    kept = _TRAIL.get()
    if kept is not None:
        kept.append(warp)
    if move is not None and waits:
        views = [view.moved(move, warp.size, border=border, fill=fill) for view in waiting]
        return Sample(sample.id, tuple(views), truth, sample.given, sample.group, sample.split, sample.attributes)
    moved = [warp.pixels(each, border=border, fill=fill, antialias=antialias) for each in pixels]
    return with_pixels(sample, moved, truth)


def with_pixels(sample: Sample, pixels: list[np.ndarray], truth: Annotation | None) -> Sample:
    """The sample with other pictures and truth."""
    images = tuple(ArrayImage(each, image.name) for each, image in zip(pixels, sample.images, strict=True))
    return Sample(sample.id, images, truth, sample.given, sample.group, sample.split, sample.attributes)


def size_of(sample: Sample) -> Size:
    """Rows and columns of the first picture."""
    if not sample.images:
        raise InputError("missing", f"{sample.id}: holds no picture to move.")
    image = sample.images[0]
    rows, columns = image.size if isinstance(image, View) else image.read().shape[-3:-1]
    return rows, columns


def aligned(sample: Sample) -> list[np.ndarray]:
    """The pictures of a sample, which one move can only serve if they and the truth have one size."""
    extents(sample)
    return [image.read() for image in sample.images]


def extents(sample: Sample) -> None:
    """Refuse pictures and truth of several sizes; of views without decoding them."""
    if not sample.images:
        raise InputError("missing", f"{sample.id}: holds no picture to move.")
    truth: Any = sample.truth
    if len(sample.images) == 1 and not isinstance(truth, _PLACED):
        return
    sizes = [image.size if isinstance(image, View) else image.read().shape[:-1] for image in sample.images]
    size = sizes[0]
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


def carry_truth(
    truth: Annotation | None, warp: Warp, *, least: float = 0.25, border: Border = "fill", fill: float | None = None
) -> Annotation | None:
    """What is known, carried; names and numbers that have no place stay as they are."""
    if not isinstance(truth, _PLACED):
        return truth
    if isinstance(truth, Objects):
        return _objects(truth, warp, least, border)
    if isinstance(truth, Regions):
        return replace(truth, classes=warp.planes(truth.classes, border=border, fill=ground(truth.names)))
    if isinstance(truth, Heatmap):
        return replace(truth, scores=warp.planes(truth.scores, border=border, smooth=True))
    return replace(truth, pixels=warp.pixels(truth.pixels, border=border, fill=fill))


def ground(names: tuple[str, ...]) -> int:
    """The class of what is not known or nothing: one with such a name, else the first."""
    for word in ("ignore", "void", "unlabelled", "unlabeled", "background", "ground", ""):
        for index, name in enumerate(names):
            if name.strip().lower() == word:
                return index
    return 0


def _objects(truth: Objects, warp: Warp, least: float, border: Border) -> Objects:
    changes: dict[str, Any] = {}
    if truth.keypoints is not None:
        changes["keypoints"] = _keypoints(truth, warp)
    if truth.masks is not None:
        changes["masks"] = warp.planes(truth.masks, border=border)
    remains = np.ones(len(truth))
    if truth.outlines is not None:
        changes["outlines"], remains = _outlines(truth.outlines, warp)
    if truth.boxes.shape[1] == 5:
        boxes, kept = _turned(truth.boxes, warp, least)
    else:
        whole = _hulls(truth.boxes, warp)
        boxes = geometry.clip(whole, warp.size[1], warp.size[0])
        areas = geometry.area(boxes)
        kept = (areas > least * np.maximum(geometry.area(whole), 1e-9)) & (areas > 0)
        loose = np.abs(boxes - whole).max(1, initial=0) > 1e-6 if warp.upright else np.ones(len(boxes), bool)
        if truth.outlines is not None:
            kept &= remains >= least
            boxes = _tighter(boxes, loose, [geometry.rings_bounds(rings) for rings in changes["outlines"]])
        elif truth.masks is not None and truth.masks.ndim == 3:
            kept &= _remaining(truth, changes["masks"], warp) >= least
            boxes = _tighter(boxes, loose, [_bounds(mask) for mask in changes["masks"]])
    changes["boxes"] = boxes.astype(truth.boxes.dtype, copy=False)
    carried = replace(truth, **changes)
    return carried if kept.all() else carried.take(kept)


def _keypoints(truth: Objects, warp: Warp) -> np.ndarray:
    points = truth.keypoints
    assert points is not None
    if warp.mirrors:
        if truth.mirror is None:
            raise InputError("label", "keypoints cannot be flipped without `mirror`, the left-right twin of each.")
        points = points[:, list(truth.mirror)]
    moved = np.array(points)
    moved[..., :2] = warp.points(points[..., :2].reshape(-1, 2)).reshape(*points.shape[:2], 2)
    inside = ((moved[..., :2] >= 0) & (moved[..., :2] <= (warp.size[1], warp.size[0]))).all(-1)
    moved[..., 2] *= inside
    return moved


def _ring(boxes: np.ndarray, steps: int) -> np.ndarray:
    """(n, 4 * steps, 2) places along the edges of corner boxes, from the upper left one clockwise."""
    x0, y0, x1, y1 = boxes[:, :4].T
    ends = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], -1).astype(np.float64)
    share = (np.arange(steps) / steps)[None, None, :, None]
    along = ends[:, :, None] * (1 - share) + np.roll(ends, -1, 1)[:, :, None] * share
    return along.reshape(len(boxes), 4 * steps, 2)


def _hulls(boxes: np.ndarray, warp: Warp) -> np.ndarray:
    """The smallest upright boxes around the carried ones, also beyond the picture."""
    if not len(boxes):
        return np.zeros((0, 4))
    if warp.upright:
        ends = warp.points(boxes.reshape(-1, 2)).reshape(-1, 2, 2)
        return np.concatenate([ends.min(1), ends.max(1)], 1)
    places = _ring(boxes, 1 if warp.field is None else _CURVED)
    moved = warp.points(places.reshape(-1, 2)).reshape(places.shape)
    return np.concatenate([moved.min(1), moved.max(1)], 1)


def _turned(boxes: np.ndarray, warp: Warp, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotated boxes: the direction of their width is carried, and the sides reach as far as the carried corners.

    A mirror keeps them as rectangles: left to right an angle becomes its negative.
    """
    if not len(boxes):
        return boxes, np.zeros(0, bool)
    angle = boxes[:, 4].astype(np.float64)
    places = np.concatenate([geometry.corners(box) for box in boxes])
    moved = warp.points(places).reshape(-1, 4, 2)
    way = (moved[:, 1] - moved[:, 0]) + (moved[:, 2] - moved[:, 3])
    way = -way if warp.mirrors else way
    turn = np.where(np.hypot(*way.T) > 0, np.arctan2(way[:, 1], way[:, 0]), angle)
    along = np.stack([np.cos(turn), np.sin(turn)], 1)
    across = np.stack([-np.sin(turn), np.cos(turn)], 1)
    spans = [np.einsum("nki,ni->nk", moved, axis) for axis in (along, across)]
    middles = [(span.min(1) + span.max(1)) / 2 for span in spans]
    centre = along * middles[0][:, None] + across * middles[1][:, None]
    sides = [span.max(1) - span.min(1) for span in spans]
    inside = ((centre >= 0) & (centre < (warp.size[1], warp.size[0]))).all(1)
    for row in np.flatnonzero(inside):
        whole = geometry.rings_area([moved[row]])
        inside[row] = geometry.rings_area([_cut(moved[row], warp)]) >= least * max(whole, 1e-9)
    return np.stack([*centre.T, *sides, turn], 1), inside


def _outlines(outlines: Any, warp: Warp) -> tuple[tuple[tuple[np.ndarray, ...], ...], np.ndarray]:
    """Each ring carried and cut to the picture, and the part of each thing's area that remains."""
    carried, remains = [], np.ones(len(outlines))
    for row, rings in enumerate(outlines):
        whole = [warp.points(_finer(ring) if warp.field is not None else ring) for ring in rings]
        cut = [_cut(ring, warp) for ring in whole]
        whole_area = geometry.rings_area(whole)
        remains[row] = geometry.rings_area(cut) / whole_area if whole_area > 0 else 1.0
        carried.append(tuple(ring.astype(np.float32) for ring in cut if len(ring) >= 3))
    return tuple(carried), remains


def _finer(ring: np.ndarray) -> np.ndarray:
    """A ring with points between its own, so that a field can bend its sides."""
    share = (np.arange(_CURVED) / _CURVED)[None, :, None]
    return np.asarray((ring[:, None] * (1 - share) + np.roll(ring, -1, 0)[:, None] * share).reshape(-1, 2))


def _cut(ring: np.ndarray, warp: Warp) -> np.ndarray:
    """A ring clipped to the target (Sutherland and Hodgman 1974)."""
    if ((ring >= 0) & (ring <= (warp.size[1], warp.size[0]))).all():
        return ring
    for axis, edge, sign in ((0, 0, 1), (0, warp.size[1], -1), (1, 0, 1), (1, warp.size[0], -1)):
        if not len(ring):
            break
        away = sign * (ring[:, axis] - edge)
        before, last = np.roll(ring, 1, 0), np.roll(away, 1)
        kept: list[np.ndarray] = []
        for here, there, now, then in zip(ring, before, away, last, strict=True):
            if (now >= 0) != (then >= 0):
                crossing = there + (here - there) * (then / (then - now))
                crossing[axis] = edge
                kept.append(crossing)
            if now >= 0:
                kept.append(here)
        ring = np.array(kept).reshape(-1, 2)
    return ring


def _bounds(mask: np.ndarray) -> np.ndarray:
    """The box of a mask's own pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return np.zeros(4)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _remaining(truth: Objects, masks: np.ndarray, warp: Warp) -> np.ndarray:
    """The part of each mask's area that is still inside; a thing whose mask was empty counts as whole."""
    assert truth.masks is not None
    if not len(truth):
        return np.ones(0)
    before, after = truth.masks.sum((1, 2)), masks.sum((1, 2))
    grown = warp.growth((truth.boxes[:, :2] + truth.boxes[:, 2:4]).astype(np.float64) / 2)
    return np.where(before > 0, after / np.maximum(before * grown, 1e-9), 1.0)


def _tighter(boxes: np.ndarray, loose: np.ndarray, hulls: list[np.ndarray]) -> np.ndarray:
    """Boxes that turning or cutting made wider than what they hold, brought back to it."""
    tight = boxes.copy()
    for row in np.flatnonzero(loose):
        if hulls[row].any():
            low, high = np.maximum(boxes[row, :2], hulls[row][:2]), np.minimum(boxes[row, 2:], hulls[row][2:])
            if (high > low).all():
                tight[row] = np.concatenate([low, high])
    return tight
