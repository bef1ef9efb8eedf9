"""Things with a place in a picture: boxes, and whatever else is known of each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core import geometry
from sightline.core.errors import InputError
from sightline.core.record import Annotation, apart

Rings = tuple[np.ndarray, ...]  # closed lines of (k, 2) points x, y; what an odd number of them goes around is inside


@dataclass(frozen=True, slots=True, eq=False)
class Objects(Annotation):
    """Things with a place: one row a thing in every column that is present."""

    boxes: np.ndarray  # (n, 4) x0 y0 x1 y1, or (n, 5) centre x, centre y, width, height, angle in radians
    classes: np.ndarray  # (n,) index into names
    names: tuple[str, ...]
    scores: np.ndarray | None = None  # (n,) 0..1
    masks: np.ndarray | None = None  # (n, rows, columns) bool
    keypoints: np.ndarray | None = None  # (n, k, 3) x, y, visibility (0 absent, 1 hidden, 2 seen)
    tracks: np.ndarray | None = None  # (n,) identity over time
    texts: tuple[str, ...] | None = None
    mirror: tuple[int, ...] | None = None  # the left-right twin of each keypoint
    outlines: tuple[tuple[np.ndarray, ...], ...] | None = None  # (n,) rings of (k, 2) float32 x, y, filled even-odd
    details: tuple[Mapping[str, Any], ...] | None = None  # (n,) plain JSON that is no column (id, difficult, crowd)
    tolerance: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        count = len(self.boxes)
        for name in ("classes", "scores", "masks", "keypoints", "tracks", "texts", "outlines", "details"):
            column = getattr(self, name)
            if column is not None and len(column) != count:
                raise InputError("label", f"Objects holds {count} boxes but {len(column)} {name}; give one row a box.")
        if self.boxes.ndim != 2 or self.boxes.shape[1] not in (4, 5):
            raise InputError("label", f"boxes must be (n, 4) or (n, 5), not {self.boxes.shape}.")

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: Any) -> Objects:
        """The same columns with these rows (indices or a boolean mask)."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        taken: dict[str, Any] = {}
        for name in ("boxes", "classes", "scores", "masks", "keypoints", "tracks"):
            column = getattr(self, name)
            taken[name] = None if column is None else column[rows]
        for name in ("texts", "outlines", "details"):
            column = getattr(self, name)
            taken[name] = None if column is None else tuple(column[row] for row in rows)
        return dataclasses.replace(self, **taken)

    def shapes(self, size: tuple[int, int]) -> np.ndarray:
        """One (rows, columns) mask a thing: its mask, else its outline filled, else its box filled."""
        if self.masks is not None and len(self):
            return self.masks
        shapes = np.zeros((len(self), *size), bool)
        for row in range(len(self)):
            rings = self.outlines[row] if self.outlines is not None else ()
            shapes[row] = geometry.fill(rings or (geometry.corners(self.boxes[row]),), size)
        return shapes

    def gap(self, other: Objects) -> float:
        """Pixels between twins; a thing without a twin counts its size by its squared score, so doubt counts little."""
        mine, twins = geometry.match(self._grown(), self.classes, other._grown(), other.classes, 0.5)
        worst = apart(self.boxes[mine], other.boxes[twins])
        for record, matched in ((self, mine), (other, twins)):
            alone = record.take(np.setdiff1d(np.arange(len(record)), matched))
            weight = np.ones(len(alone)) if alone.scores is None else alone.scores**2
            outline = alone._outline()
            diagonal = np.hypot(outline[:, 2] - outline[:, 0], outline[:, 3] - outline[:, 1])
            worst = max(worst, float((diagonal * weight).max(initial=0.0)))
        if self.scores is not None and other.scores is not None:
            worst = max(worst, 100 * apart(self.scores[mine], other.scores[twins]))
        if self.keypoints is not None and other.keypoints is not None:
            worst = max(worst, apart(self.keypoints[mine], other.keypoints[twins]))
        if self.masks is not None and other.masks is not None:
            worst = max(worst, _masks_apart(self.masks[mine], other.masks[twins], self._outline()[mine]))
        if self.outlines is not None and other.outlines is not None:
            pairs = zip(mine.tolist(), twins.tolist(), strict=True)
            worst = max([worst, *(_rings_apart(self.outlines[row], other.outlines[twin]) for row, twin in pairs)])
        return worst

    def _grown(self) -> np.ndarray:
        """Outlines half a pixel larger, so that a box without an inside is at least its own twin."""
        outline = self._outline()
        low, high = np.minimum(outline[:, :2], outline[:, 2:]), np.maximum(outline[:, :2], outline[:, 2:])
        return np.concatenate([low - 0.5, high + 0.5], 1)

    def _outline(self) -> np.ndarray:
        return self.boxes if self.boxes.shape[1] == 4 else geometry.upright(self.boxes)


def _masks_apart(first: np.ndarray, second: np.ndarray, boxes: np.ndarray) -> float:
    """How far the edge is moved on average: pixels that differ, by half the way around the box."""
    if first.shape != second.shape:
        return float("inf")
    differ = (first != second).sum(tuple(range(1, first.ndim)))
    return float((differ / np.abs(boxes[:, 2:] - boxes[:, :2]).sum(1).clip(1)).max(initial=0.0))


def _rings_apart(first: Rings, second: Rings) -> float:
    """How far the edge is moved: point by point where both have the same points, else by the area that differs."""
    if not first or not second:
        return 0.0 if len(first) == len(second) else float("inf")
    if [ring.shape for ring in first] == [ring.shape for ring in second]:
        return max(apart(one, other) for one, other in zip(first, second, strict=True))
    points = np.concatenate([*first, *second]).astype(np.float64)
    if not np.isfinite(points).all():
        return float("inf")
    low, span = points.min(0), np.ptp(points, 0)
    unit = max(1.0, float(span.max()) / 1024)  # the canvas stays small however large the thing is
    size = (int(span[1] / unit) + 1, int(span[0] / unit) + 1)
    drawn = [geometry.fill(tuple((ring - low) / unit for ring in rings), size)[None] for rings in (first, second)]
    return unit * _masks_apart(drawn[0], drawn[1], np.array([[0.0, 0.0, *(span / unit)]]))
