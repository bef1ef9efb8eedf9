"""What a blur does to one point of light."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sightline.core.asked import one_of, within
from sightline.core.errors import SettingsError
from sightline.filters._given import picture_of

SHAPES = ("gaussian", "disc", "motion")
_FINER = 8  # points a pixel across, so that edges of discs and lines are smooth


def kernel_of(what: str, kernel: Any, size: float, angle: float) -> np.ndarray:
    """Float32 rows and columns of odd length with sum 1: a shape by name, an array, or the file of a picture."""
    if not isinstance(kernel, np.ndarray) and (not isinstance(kernel, str) or kernel in SHAPES or "." not in kernel):
        one_of(what, (*SHAPES, "an array", "a file"), kernel=kernel)
        within(what, 0.1, 200, size=size)
        within(what, -360, 360, angle=angle)
        return {"gaussian": _bell, "disc": _disc}[kernel](size) if kernel != "motion" else _line(size, angle)
    given = kernel if isinstance(kernel, np.ndarray) else picture_of(what, "kernel", kernel)
    found = np.asarray(given, np.float64)
    found = found.mean(2) if found.ndim == 3 else found
    if found.ndim != 2 or not found.size or not np.isfinite(found).all() or found.min() < 0 or found.sum() <= 0:
        raise SettingsError(f"{what}: kernel must be rows and columns of numbers from 0 with a sum above 0.")
    rows, columns = found.shape
    found = np.pad(found, ((0, 1 - rows % 2), (0, 1 - columns % 2)))
    return np.asarray(found / found.sum(), np.float32)


def _bell(sigma: float) -> np.ndarray:
    """A Gaussian of `sigma` pixels."""
    reach = math.ceil(4 * sigma)
    row = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    both = np.outer(row, row)
    return np.asarray(both / both.sum(), np.float32)


def _fine(reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Right and down of the points of a finer grid."""
    side = (2 * reach + 1) * _FINER
    places = (np.arange(side) + 0.5) / _FINER - reach - 0.5
    return np.broadcast_to(places, (side, side)), np.broadcast_to(places[:, None], (side, side))


def _coarse(inside: np.ndarray, reach: int) -> np.ndarray:
    side = 2 * reach + 1
    made = inside.reshape(side, _FINER, side, _FINER).sum((1, 3), dtype=np.float64)
    return np.asarray(made / made.sum(), np.float32)


def _disc(radius: float) -> np.ndarray:
    """A lens out of focus: a disc of `radius` pixels."""
    reach = math.ceil(radius)
    right, down = _fine(reach)
    return _coarse(np.hypot(right, down) <= max(radius, 0.5), reach)


def _line(length: float, angle: float) -> np.ndarray:
    """A camera that moved `length` pixels; 0 degrees is to the right, 90 is up."""
    reach = math.ceil(length / 2)
    right, down = _fine(reach)
    turn = math.radians(angle)
    along = right * math.cos(turn) - down * math.sin(turn)
    beside = right * math.sin(turn) + down * math.cos(turn)
    return _coarse((np.abs(along) <= max(length, 1) / 2) & (np.abs(beside) <= 0.5), reach)
