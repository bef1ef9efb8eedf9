"""How strong a filter against noise has to be."""

from __future__ import annotations

import math

import numpy as np

from sightline.core.asked import within
from sightline.core.depth import span
from sightline.core.noise import noise_level

_ENOUGH = 768  # rows and columns of the middle tell the noise of a large picture


def spread(what: str, pixels: np.ndarray, noise: float, strength: float) -> float:
    """Standard deviation to remove, where white is 1: `noise` in levels of 8 bits, or measured where that is 0."""
    within(what, 0, 255, noise=noise)
    within(what, 0, 10, strength=strength)
    return strength * (noise / 255 if noise else measured(pixels))


def measured(pixels: np.ndarray) -> float:
    """Root of the mean square over channels, where white is 1; 0 where a picture is too small to tell."""
    low, white = span(pixels)
    top, left = (max(0, (length - _ENOUGH) // 2) for length in pixels.shape[:2])
    seen = pixels[top : top + _ENOUGH, left : left + _ENOUGH]
    levels = [noise_level(np.ascontiguousarray(seen[..., channel])) for channel in range(pixels.shape[2])]
    known = [level for level in levels if math.isfinite(level)]
    return math.sqrt(sum(level * level for level in known) / len(known)) / (white - low) if known else 0.0
