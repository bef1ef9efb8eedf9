"""The cosine waves of 8 x 8 squares, on all their shifts."""

from __future__ import annotations

import math

import numpy as np

SIDE = 8


def waves() -> np.ndarray:
    """The eight cosine waves as rows, each of norm 1."""
    places = (2 * np.arange(SIDE) + 1) * math.pi / (2 * SIDE)
    made = np.cos(np.arange(SIDE)[:, None] * places) * math.sqrt(2 / SIDE)
    made[0] /= math.sqrt(2)
    return made.astype(np.float32)


def squares(plane: np.ndarray) -> np.ndarray:
    """(n, 64): the waves of each 8 x 8 square, row by row; sides are whole squares."""
    rows, columns = plane.shape
    blocks = plane.reshape(rows // SIDE, SIDE, columns // SIDE, SIDE).swapaxes(1, 2).reshape(-1, SIDE * SIDE)
    return np.asarray(blocks @ np.kron(waves(), waves()).T)


def plane_of(found: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The way back from `squares`."""
    blocks = found @ np.kron(waves(), waves())
    return np.asarray(blocks.reshape(rows // SIDE, columns // SIDE, SIDE, SIDE).swapaxes(1, 2).reshape(rows, columns))


def overlapping(plane: np.ndarray, bars: np.ndarray, step: int) -> np.ndarray:
    """Waves below their bar set to nothing in the squares at every `step` pixels; squares of few waves count more."""
    import cv2

    rows, columns = plane.shape
    edge = SIDE
    deep, broad = -(-rows // SIDE) * SIDE + 2 * edge, -(-columns // SIDE) * SIDE + 2 * edge
    wide = cv2.copyMakeBorder(plane, edge, deep - rows - edge, edge, broad - columns - edge, cv2.BORDER_REFLECT)
    total, weights = np.zeros_like(wide), np.zeros_like(wide)
    flat = bars.reshape(-1)
    for top in range(0, SIDE, step):
        for left in range(0, SIDE, step):
            stop, end = deep - SIDE + top, broad - SIDE + left
            found = squares(np.ascontiguousarray(wide[top:stop, left:end]))
            kept = np.abs(found) >= flat
            found *= kept
            weight = (1 / kept.sum(1, keepdims=True).clip(1)).astype(np.float32)
            found *= weight
            total[top:stop, left:end] += plane_of(found, stop - top, end - left)
            down, across = (stop - top) // SIDE, (end - left) // SIDE
            spreading = weight.reshape(down, across).repeat(SIDE, 0).repeat(SIDE, 1)
            weights[top:stop, left:end] += spreading
    made = total[edge : edge + rows, edge : edge + columns] / weights[edge : edge + rows, edge : edge + columns]
    return np.asarray(made)
