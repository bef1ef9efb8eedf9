"""Geometry of boxes and masks with array methods only, so that one text serves numpy and torch."""

from __future__ import annotations

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
