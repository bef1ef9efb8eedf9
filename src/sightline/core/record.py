"""The base of the records, and how far two columns are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Base of the records."""

    tolerance: ClassVar[float] = 0.0  # the largest `gap` between two runtimes that still counts as equal

    def gap(self, other: Any) -> float:
        """How far two answers are apart, in the unit that the record's `tolerance` is stated in."""
        raise NotImplementedError(type(self).__name__)


def apart(first: np.ndarray, second: np.ndarray, scale: Any = 1.0) -> float:
    """The largest difference; a NaN on one side alone is infinitely far, so that it cannot hide behind a number."""
    if first.shape != second.shape:
        return float("inf")
    a, b = first.astype(np.float64), second.astype(np.float64)
    with np.errstate(invalid="ignore"):
        far = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b) / scale)
    return float(np.where(np.isnan(far), np.inf, far).max(initial=0.0))
