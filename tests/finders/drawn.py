"""Scenes whose every shape is known."""

from __future__ import annotations

import numpy as np


def disc(size: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    """0..1, how much of each pixel lies in a disc whose middle counts pixel centres at one half."""
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    return np.clip(0.5 + radius - np.hypot(columns - x, rows - y), 0, 1).astype(np.float32)


def discs(size: tuple[int, int], circles: list[tuple[float, float, float]], light: float = 0.8) -> np.ndarray:
    """Discs on gray ground, later ones before earlier ones, each a little darker towards its rim."""
    made = np.full(size, 0.2, np.float32)
    for number, (x, y, radius) in enumerate(circles):
        cover = disc(size, x, y, radius)
        tone = light - 0.12 * (number % 3)
        made += (np.float32(tone) - made) * cover
        rim = np.clip(disc(size, x, y, radius) - disc(size, x, y, radius - 1.5), 0, 1)
        made -= np.float32(0.12) * rim
    return made


def depth_of(light: np.ndarray, name: str) -> np.ndarray:
    """Light of 0..1 in a depth."""
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[name]
    values = np.clip(light, 0, 1) * top
    return (np.rint(values) if top > 1 else values).astype(name)
