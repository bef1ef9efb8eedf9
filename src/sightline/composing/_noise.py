"""How much numbers differ that should be alike."""

from __future__ import annotations

import numpy as np


def spread_of(differences: np.ndarray) -> float:
    """The spread of what is usual, whatever the rest does."""
    if not differences.size:
        return 0.0
    flat = differences.ravel()
    flat = flat[:: max(1, flat.size // 200_000)]
    return float(np.median(np.abs(flat - np.median(flat)))) * 1.4826
