"""How far apart two histograms are, and which of many are nearest: pictures found again by their colours."""

from __future__ import annotations

from typing import Any

import numpy as np


def chi_square(first: Any, second: Any) -> Any:
    """Half the sum of squared differences by sums: 0 for twins, 1 for shares that have nothing in common."""
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    total = one + two
    return 0.5 * (np.square(one - two) / np.where(total > 0, total, 1)).sum(-1)


def earth_movers(first: Any, second: Any, groups: int = 1) -> Any:
    """How far shares must be carried to make one of the other (Rubner et al. 2000), by bins in a row from 0 to 1.

    Rows that hold `groups` histograms after each other (a channel each) are carried group by group; the mean is given.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    apart = (one - two).reshape(*np.broadcast_shapes(one.shape, two.shape)[:-1], groups, -1)
    bins = apart.shape[-1]
    carried = np.abs(np.cumsum(apart, -1))[..., :-1].sum(-1) / max(1, bins - 1)
    return carried.mean(-1)


def nearest(asked: np.ndarray, known: np.ndarray, *, by: str = "chi_square", groups: int = 1) -> np.ndarray:
    """Rows of `known` (n, bins) from the nearest to the farthest of `asked` (bins,)."""
    far = chi_square(known, asked) if by == "chi_square" else earth_movers(known, asked, groups)
    return np.asarray(np.argsort(far, kind="stable"))
