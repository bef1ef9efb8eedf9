"""What every metric asks of its two lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sightline.core.errors import InputError


def check_pairs(truths: Sequence[Any], predictions: Sequence[Any]) -> None:
    """One prediction a truth, or the numbers would be of nothing."""
    if len(truths) != len(predictions):
        raise InputError(
            "mismatch", f"{len(truths)} truths but {len(predictions)} predictions; give one prediction a truth."
        )


def number_names(names: Iterable[Iterable[str]]) -> dict[str, int]:
    """One number a name, whatever the order of names in each record."""
    return {name: number for number, name in enumerate(sorted({name for some in names for name in some}))}


def column(values: Iterable[float]) -> np.ndarray:
    """One number a sample as (n, 1) rows."""
    return np.fromiter(values, np.float64).reshape(-1, 1)


def top_of(dtype: np.dtype[Any]) -> float:
    """The brightest value that a depth can hold."""
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0
