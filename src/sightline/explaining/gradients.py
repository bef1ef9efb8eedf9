"""Maps from the gradient at every pixel: gathered along a way, or averaged over noise."""

from __future__ import annotations

import numpy as np

from sightline.core.chance import generator
from sightline.explaining.subject import TOP, View

STEPS = 24
NOISY = 12
NOISE = 0.1  # of the whole range


def integrated(view: View) -> np.ndarray:
    """What every pixel adds on the way from nothing to the picture (Sundararajan et al. 2017)."""
    return _smooth(np.abs(shares(view).sum(-1)))


def smoothed(view: View) -> np.ndarray:
    """The size of the gradient, averaged over noisy copies of the picture (Smilkov et al. 2017)."""
    pictures = view.arrays[view.first].astype(np.float32)
    rng, spread = generator("explaining", "noise"), NOISE * TOP[view.subject.facts.input.dtype]
    total = np.zeros(pictures.shape[:3])
    for _ in range(NOISY):
        noise = rng.normal(0, spread, pictures.shape).astype(np.float32)
        total += np.abs(view.slopes(pictures + noise)[0]).sum(-1)
    return _smooth(total / NOISY)


def shares(view: View, steps: int = STEPS) -> np.ndarray:
    """Of every number of the pictures its share in the answer; all together they are what nothing and it differ by."""
    pictures = view.arrays[view.first].astype(np.float32)
    way = pictures - view.plain
    total = np.zeros(pictures.shape, np.float64)
    places, weights = np.polynomial.legendre.leggauss(steps)
    for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
        total += weight * view.slopes(view.plain + np.float32(place) * way)[0]
    return np.asarray(total * way)


def _smooth(maps: np.ndarray) -> np.ndarray:
    """Single pixels say little to the eye: blurred by a thirty-second of the side."""
    import cv2

    spread = max(0.5, min(maps.shape[1:]) / 32)
    return np.stack([cv2.GaussianBlur(row.astype(np.float32), (0, 0), spread) for row in maps])
