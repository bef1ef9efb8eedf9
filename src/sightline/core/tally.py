"""What a metric answers: one row a sample and how rows become a number, so slices and intervals come for free."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows and their reduction; `groups` are never split when drawing, `of` says what an interval is of."""

    rows: np.ndarray  # first axis = samples; (n, k) floats, or (n,) objects where samples are ragged
    reduce: Callable[[np.ndarray], float]
    better: str  # "higher" or "lower"
    groups: np.ndarray | None = None  # (n,) what must be drawn whole
    resample: bool = True  # False: drawing rows again would bias the number
    of: str = "fresh samples"
    limits: tuple[float, float] = (-math.inf, math.inf)  # what the number can be: an interval never leaves them
    smooth: bool = True  # False: the number has corners, so that leaving one row out says little of others

    def __post_init__(self) -> None:
        if self.better not in ("higher", "lower"):
            raise ValueError(f"better is 'higher' or 'lower', not {self.better!r}")
        if self.groups is not None and len(self.groups) != len(self.rows):
            raise ValueError(f"{len(self.rows)} rows but {len(self.groups)} groups; give one group a row")

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def value(self) -> float:
        """The number over all rows; NaN where no row says anything."""
        return float(self.reduce(self.rows)) if len(self.rows) else math.nan

    def beats(self, a: float, b: float) -> bool:
        """Whether `a` is better than `b`; NaN never wins, and any number beats NaN."""
        if math.isnan(a) or math.isnan(b):
            return math.isnan(b) and not math.isnan(a)
        return a > b if self.better == "higher" else a < b

    def take(self, picked: np.ndarray) -> Tally:
        """The tally of a slice (indices or a boolean mask)."""
        return replace(self, rows=self.rows[picked], groups=None if self.groups is None else self.groups[picked])


SHARE = (0.0, 1.0)  # the limits of a share


def mean(rows: np.ndarray) -> float:
    """The mean of all rows; one NaN makes it NaN, since a model that answers NaN must not win."""
    return float(np.mean(rows)) if len(rows) else math.nan


def mean_known(rows: np.ndarray) -> float:
    """The mean of the rows that say something: NaN marks a sample to which the metric does not apply."""
    known = rows[~np.isnan(rows)]
    return float(np.mean(known)) if len(known) else math.nan


def between(low: float | None, high: float | None) -> str:
    """The ends of an interval, or that there is none."""
    known = low is not None and high is not None and math.isfinite(low) and math.isfinite(high)
    return f"{low:.4g} to {high:.4g}" if known else "no interval"
