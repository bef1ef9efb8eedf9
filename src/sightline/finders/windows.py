"""Every place where something might be: what turns a name for a picture into things in it."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.asked import wholes, within
from sightline.core.depth import checked
from sightline.core.errors import SettingsError

MOST = 100_000  # windows of one picture


def windows(image: Any, *, size: int = 64, step: float = 0.25, growth: float = 1.25, largest: float = 1.0) -> Objects:
    """Squares of `size` pixels, a `step` of their side apart, and again `growth` times as large.

    They end at `largest` times the shorter side of the picture. Each is looked at by the step `each` of a chain, and
    what was said of them becomes things by the step `told`: so a classifier, such as HOG with an SVM, finds things.
    """
    rows, columns = checked(image, what="windows").shape[:2]
    wholes("windows", 1, 100_000, size=size)
    within("windows", 0.01, 1, step=step, largest=largest)
    within("windows", 1.01, 100, growth=growth)
    made: list[np.ndarray] = []
    for power in count():
        side = round(size * growth**power)
        if side > largest * min(rows, columns):
            break
        apart = max(1, round(step * side))
        tops, lefts = _places(rows, side, apart), _places(columns, side, apart)
        if sum(map(len, made)) + len(tops) * len(lefts) > MOST:
            raise SettingsError(f"windows: over {MOST:,} of them; raise size, step or growth.")
        y, x = (axis.ravel() for axis in np.meshgrid(tops, lefts, indexing="ij"))
        made.append(np.stack([x, y, x + side, y + side], 1))
    boxes = np.concatenate(made) if made else np.zeros((0, 4))
    return Objects(boxes.astype(np.float32), np.zeros(len(boxes), np.int64), ("window",))


def _places(length: int, side: int, apart: int) -> np.ndarray:
    """Where windows begin along an axis; the last one ends with the picture."""
    return np.unique(np.append(np.arange(0, length - side, apart), length - side))
