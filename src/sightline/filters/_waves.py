"""Haar waves over all shifts: taken apart, shrunk and put together again."""

from __future__ import annotations

import numpy as np


def shrunk(plane: np.ndarray, noise: float, levels: int) -> np.ndarray:
    """Rows and columns without the detail that noise explains."""
    import cv2

    rows, columns = plane.shape
    edge = 2**levels
    wide = cv2.copyMakeBorder(plane, edge, edge, edge, edge, cv2.BORDER_REFLECT)
    details = []
    for level in range(levels):
        wide, parts = _apart(wide, 2**level)
        details.append([_soft(part, noise) for part in parts])
    for level in reversed(range(levels)):
        wide = _together(wide, details[level], 2**level)
    return np.asarray(wide[edge : edge + rows, edge : edge + columns])


def _apart(wide: np.ndarray, gap: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sum and differences of pixels `gap` apart, round the edge, each of norm 1."""
    below = np.roll(wide, -gap, 0)
    low, high = wide + below, wide - below
    low_right, high_right = np.roll(low, -gap, 1), np.roll(high, -gap, 1)
    half = np.float32(0.5)
    return (low + low_right) * half, [
        (low - low_right) * half,
        (high + high_right) * half,
        (high - high_right) * half,
    ]


def _together(low: np.ndarray, parts: list[np.ndarray], gap: int) -> np.ndarray:
    """The mean of what the four places of every wave say of a pixel."""
    across, down, both = parts
    sums, gaps = low + across + np.roll(low - across, gap, 1), down + both + np.roll(down - both, gap, 1)
    return np.asarray((sums + gaps + np.roll(sums - gaps, gap, 0)) * np.float32(1 / 8))


def _soft(part: np.ndarray, noise: float) -> np.ndarray:
    """Pulled to zero by noise^2 / spread of the signal."""
    signal = float(np.mean(part * part, dtype=np.float64)) - noise * noise
    if signal <= 0:
        return np.zeros_like(part)
    bar = np.float32(noise * noise / signal**0.5)
    return np.asarray(part - np.clip(part, -bar, bar))
