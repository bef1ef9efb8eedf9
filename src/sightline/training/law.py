"""How a mistake shrinks with more data: error(n) = floor + scale * n^-power, fitted and drawn out with its doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POWERS = np.geomspace(0.05, 2.0, 80)


@dataclass(frozen=True, slots=True)
class Law:
    """A power law with a floor, none of whose numbers is negative."""

    floor: float
    scale: float
    power: float

    def at(self, count: float | np.ndarray) -> np.ndarray:
        """The error with so many samples."""
        return np.asarray(self.floor + self.scale * np.asarray(count, float) ** -self.power)

    def needed(self, error: float) -> float:
        """Samples until the error is this small; infinite below the floor."""
        if error <= self.floor:
            return float("inf")
        return 0.0 if self.scale == 0 else float((self.scale / (error - self.floor)) ** (1 / self.power))


def fit(counts: Sequence[float], errors: Sequence[float], weights: Sequence[float] | None = None) -> Law:
    """Least squares; larger sets weigh more, since they are nearer to what is asked about."""
    from scipy.optimize import nnls

    n, e = np.asarray(counts, float), np.asarray(errors, float)
    w = np.sqrt(np.asarray(n / n.max() if weights is None else weights, float))
    best, least = Law(float(e[-1]), 0.0, 1.0), np.inf
    for power in POWERS:
        base = (n / n[0]) ** -power  # scaled, so that both columns are of one size
        (floor, scale), left = nnls(np.stack([np.ones_like(n), base], 1) * w[:, None], e * w)
        if left < least - 1e-12:
            best, least = Law(float(floor), float(scale * n[0] ** power), float(power)), float(left)
    return best
