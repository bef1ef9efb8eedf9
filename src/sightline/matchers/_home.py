"""Whether the way there and back leads home, and what that says of a field of steps."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.relation import Field
from sightline.core.warp import Size
from sightline.matchers._climb import likeness

_SLACK = 0.5  # pixels, and a tenth of the step


def inside(steps: np.ndarray, second: Size) -> np.ndarray:
    """Which pixels step to a place that the second picture shows."""
    rows, columns = steps.shape[:2]
    x = np.arange(columns, dtype=np.float32) + 0.5 + steps[..., 0]
    y = np.arange(rows, dtype=np.float32)[:, None] + 0.5 + steps[..., 1]
    return np.asarray((x >= 0) & (y >= 0) & (x <= second[1]) & (y <= second[0]))


def confirmed(there: np.ndarray, back: np.ndarray, first: np.ndarray, second: np.ndarray) -> Field:
    """A field with what is seen in both pictures, and a score: the share seen, times how alike both then are."""
    grid = _grid(there)
    look = grid + there
    home = there + cv2.remap(back, look, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    longer = _squared(there)
    size = int(second.shape[0]), int(second.shape[1])
    seen = (_squared(home) < _SLACK**2 + 0.01 * longer) & inside(there, size)
    laid = cv2.remap(second, look, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alike = likeness(first.astype(np.float32), laid.astype(np.float32), seen)
    return Field(there, size, seen, float(seen.mean()) * max(0.0, alike))


def _squared(steps: np.ndarray) -> np.ndarray:
    """Square of the length of each step."""
    x, y = steps[..., 0], steps[..., 1]
    made = x * x
    made += y * y
    return np.asarray(made)


def _grid(steps: np.ndarray) -> np.ndarray:
    rows, columns = steps.shape[:2]
    made = np.empty((rows, columns, 2), np.float32)
    made[..., 0], made[..., 1] = np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)[:, None]
    return made
