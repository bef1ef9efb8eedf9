"""Geometry of boxes with array methods only, so that one text serves numpy and torch; outlines and masks in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def area(boxes: Any) -> Any:
    """Area of (n, 4) corner boxes; an inside-out box has none."""
    return (boxes[..., 2] - boxes[..., 0]).clip(0) * (boxes[..., 3] - boxes[..., 1]).clip(0)


def overlap(first: Any, second: Any) -> tuple[Any, Any]:
    """Intersection over union of every box of `first` with every box of `second`, and the union."""
    a, b = first[..., :, None, :], second[..., None, :, :]
    width = _least(a[..., 2], b[..., 2]) - _most(a[..., 0], b[..., 0])
    height = _least(a[..., 3], b[..., 3]) - _most(a[..., 1], b[..., 1])
    shared = width.clip(0) * height.clip(0)
    union = area(a) + area(b) - shared
    return shared / union.clip(1e-9), union


def generous_overlap(first: Any, second: Any) -> Any:
    """Generalised IoU (Rezatofighi et al. 2019) of paired boxes, -1..1: also apart boxes feel a pull."""
    width = _least(first[..., 2], second[..., 2]) - _most(first[..., 0], second[..., 0])
    height = _least(first[..., 3], second[..., 3]) - _most(first[..., 1], second[..., 1])
    shared = width.clip(0) * height.clip(0)
    union = (area(first) + area(second) - shared).clip(1e-9)
    hull = (_most(first[..., 2], second[..., 2]) - _least(first[..., 0], second[..., 0])).clip(0) * (
        _most(first[..., 3], second[..., 3]) - _least(first[..., 1], second[..., 1])
    ).clip(0)
    return shared / union - (hull - union) / hull.clip(1e-9)


def _least(a: Any, b: Any) -> Any:
    return a.clip(max=b)


def _most(a: Any, b: Any) -> Any:
    return a.clip(min=b)


def upright(rotated: np.ndarray) -> np.ndarray:
    """The axis-aligned hull of (n, 5) rotated boxes."""
    cx, cy, width, height, angle = rotated.T
    cos, sin = np.abs(np.cos(angle)), np.abs(np.sin(angle))
    half_x, half_y = (width * cos + height * sin) / 2, (width * sin + height * cos) / 2
    return np.stack([cx - half_x, cy - half_y, cx + half_x, cy + half_y], 1)


def match(
    first: np.ndarray, first_classes: np.ndarray, second: np.ndarray, second_classes: np.ndarray, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Twins among two sets of boxes: same class, IoU at least `least`, best pairs first."""
    if not len(first) or not len(second):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    scores, _ = overlap(first.astype(np.float64), second.astype(np.float64))
    scores = np.where(first_classes[:, None] == second_classes[None], scores, 0.0)
    rows, columns = np.nonzero(scores >= least)
    best = np.argsort(-scores[rows, columns], kind="stable")
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    pairs = []
    for row, column in zip(rows[best].tolist(), columns[best].tolist(), strict=True):
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            pairs.append((row, column))
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def suppress(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, most: float = 0.5) -> np.ndarray:
    """Rows that survive non-maximum suppression within each class, best score first."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    span = float(np.abs(boxes).max()) * 2 + 1
    apart = boxes.astype(np.float64) + (classes.astype(np.float64) * span)[:, None]
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        top, rest = order[0], order[1:]
        kept.append(top)
        if not len(rest):
            break
        shared, _ = overlap(apart[top : top + 1], apart[rest])
        order = rest[shared[0] <= most]
    return np.array(kept, np.int64)


def clip(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Boxes cut to the picture."""
    return np.asarray(np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype)))


def corners(box: np.ndarray) -> np.ndarray:
    """The four corners, (4, 2), of one box: x0 y0 x1 y1, or centre, size and angle."""
    if len(box) == 4:
        x0, y0, x1, y1 = box
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)
    cx, cy, width, height, angle = box.astype(np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    away = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
    return np.asarray(away @ np.array([[cos, sin], [-sin, cos]]) + [cx, cy])


def fill(rings: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """The mask of rows and columns inside the rings: pixels whose centre an odd number of rings goes around.

    Pixel (row, column) has its centre at (column + 0.5, row + 0.5); a centre on an edge belongs to the side right of
    it or below it. So rings along the edges of pixels, as `trace` gives them, are filled exactly.
    """
    rows, columns = size
    mask = np.zeros((rows, columns), bool)
    rings = [ring for ring in rings if len(ring)]
    if not rings or not rows or not columns:
        return mask
    start = np.concatenate(rings).astype(np.float64)
    end = np.concatenate([np.roll(ring, -1, 0) for ring in rings]).astype(np.float64)
    first = np.ceil(np.minimum(start[:, 1], end[:, 1]) - 0.5).clip(0, rows).astype(np.int64)
    last = np.ceil(np.maximum(start[:, 1], end[:, 1]) - 0.5).clip(0, rows).astype(np.int64)  # the row after the last
    steps = last - first
    edge = np.repeat(np.arange(len(start)), steps)
    if not len(edge):
        return mask
    row = np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps) + first[edge]
    down, right = end[edge, 1] - start[edge, 1], end[edge, 0] - start[edge, 0]
    crossing = start[edge, 0] + (row + 0.5 - start[edge, 1]) / down * right
    column = np.ceil(crossing - 0.5).clip(0, columns).astype(np.int64)
    top, bottom, left, far = row.min(), row.max() + 1, column.min(), column.max() + 1
    wide = int(far - left)
    turns = np.bincount((row - top) * wide + column - left, minlength=int(bottom - top) * wide) & 1
    inside = np.bitwise_xor.accumulate(turns.astype(np.uint8).reshape(-1, wide), axis=1)[:, : columns - left]
    mask[top:bottom, left : left + inside.shape[1]] = inside
    return mask


def trace(mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """The rings around a mask along the edges of its pixels, holes too; `fill` gives the same mask back.

    Pixels that touch at a corner only get rings of their own.
    """
    rows, columns = mask.shape
    padded = np.zeros((rows + 2, columns + 2), bool)
    padded[1:-1, 1:-1] = mask
    around = [padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]]  # of every crossing of the grid
    crossed = (around[0] & around[3] & ~around[1] & ~around[2]) | (around[1] & around[2] & ~around[0] & ~around[3])
    corner = (around[0] ^ around[1] ^ around[2] ^ around[3]) | crossed
    y, x = np.nonzero(corner)
    if not len(y):
        return ()
    twice = 1 + crossed[y, x]
    second = np.flatnonzero(np.arange(twice.sum()) != np.repeat(np.cumsum(twice) - twice, twice))
    leaning = around[1][y, x] & crossed[y, x]  # the pixels that touch lie up right and down left
    y, x, leaning = np.repeat(y, twice), np.repeat(x, twice), np.repeat(leaning, twice)
    late = np.zeros(len(y), bool)
    late[second] = True
    across = np.arange(len(y)) ^ 1  # corners come in pairs along every line of the grid
    order = np.lexsort((late ^ leaning, y, x))
    along = np.empty(len(y), np.int64)
    along[order] = order[np.arange(len(y)) ^ 1]
    return _chained(np.stack([x, y], 1).astype(np.float32), across.tolist(), along.tolist())


def _chained(points: np.ndarray, across: list[int], along: list[int]) -> tuple[np.ndarray, ...]:
    """Corners in the order in which the rings pass them: in turn along a row and along a column."""
    seen = bytearray(len(points))
    rings = []
    for begin in range(len(points)):
        ring: list[int] = []
        place = begin
        while not seen[place]:
            seen[place] = seen[twin := across[place]] = 1
            ring += (place, twin)
            place = along[twin]
        if ring:
            rings.append(points[ring])
    return tuple(rings)


def rings_area(rings: Sequence[np.ndarray]) -> float:
    """The area inside the rings; a ring within another is a hole. Rings that cross each other are not told apart."""
    total = 0.0
    for place, ring in enumerate(rings):
        if len(ring) < 3:
            continue
        middle = (ring[0].astype(np.float64) + ring[1]) / 2
        others = [other for number, other in enumerate(rings) if number != place and len(other) > 2]
        depth = sum(_inside(middle, other) for other in others)
        total += (-1) ** depth * _shoelace(ring)
    return total


def _shoelace(ring: np.ndarray) -> float:
    points = ring.astype(np.float64) - ring[0]
    after = np.roll(points, -1, 0)
    return abs(float((points[:, 0] * after[:, 1] - after[:, 0] * points[:, 1]).sum())) / 2


def _inside(point: np.ndarray, ring: np.ndarray) -> bool:
    start, end = ring.astype(np.float64), np.roll(ring, -1, 0).astype(np.float64)
    passed = (start[:, 1] <= point[1]) != (end[:, 1] <= point[1])
    start, end = start[passed], end[passed]
    crossing = start[:, 0] + (point[1] - start[:, 1]) / (end[:, 1] - start[:, 1]) * (end[:, 0] - start[:, 0])
    return bool((crossing <= point[0]).sum() % 2)


def rings_bounds(rings: Sequence[np.ndarray]) -> np.ndarray:
    """The box x0 y0 x1 y1 around the rings; zeros where there are none."""
    points = [ring for ring in rings if len(ring)]
    if not points:
        return np.zeros(4, np.float32)
    joined = np.concatenate(points)
    return np.concatenate([joined.min(0), joined.max(0)])
