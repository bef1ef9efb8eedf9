"""Outlines as signed distances on a grid (negative inside), and the relief and shade that follow from them."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.sources.drawn.surface import deep

Grid = tuple[np.ndarray, np.ndarray]  # x and y from the middle, in pixels


def grid(half: int, turn: float = 0.0) -> Grid:
    """A square of pixel centres around a middle, turned."""
    along = np.arange(-half, half + 1, dtype=np.float32)
    x, y = np.broadcast_to(along[None], (len(along),) * 2), np.broadcast_to(along[:, None], (len(along),) * 2)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return x * cos + y * sin, y * cos - x * sin


def disc(at: Grid, radius: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """A round outline, the one whose distance is exact everywhere."""
    return np.hypot(at[0] - np.float32(x), at[1] - np.float32(y)) - np.float32(radius)


def block(at: Grid, wide: float, tall: float, corner: float, x: float = 0.0) -> np.ndarray:
    """A rectangle with round corners; `wide` and `tall` are halves."""
    dx = np.abs(at[0] - np.float32(x)) - np.float32(wide - corner)
    dy = np.abs(at[1]) - np.float32(tall - corner)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0) - np.float32(corner)


def hexagon(at: Grid, radius: float) -> np.ndarray:
    """Six equal sides around the middle, because nuts have them; `radius` reaches the middle of a side."""
    sides = [np.abs(at[0] * np.float32(np.cos(a)) + at[1] * np.float32(np.sin(a))) for a in np.arange(3) * np.pi / 3]
    return np.maximum(np.maximum(sides[0], sides[1]), sides[2]) - np.float32(radius)


def gear(at: Grid, radius: float, teeth: int, deep: float) -> np.ndarray:
    """A toothed disc; the distance is put right by its own slope, for flanks are steep."""
    angle, away = cv2.phase(at[0], at[1]), np.hypot(at[0], at[1])
    edge = np.float32(radius) + np.float32(deep) * np.tanh(2.2 * np.cos(np.float32(teeth) * angle))
    rough = away - edge
    slope_x, slope_y = cv2.Sobel(rough, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(rough, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(rough / np.clip(np.hypot(slope_x, slope_y), 0.9, 4))


def cover_of(distance: np.ndarray) -> np.ndarray:
    """0..1, how much of each pixel lies inside."""
    return np.clip(np.float32(0.5) - distance, 0, 1)


def bevel(distance: np.ndarray, width: float) -> np.ndarray:
    """Relief of a plate whose edge is rounded over `width` pixels."""
    inward = np.clip(-distance / np.float32(width), 0, 1)
    return np.float32(width) * np.sqrt(inward * (2 - inward))


def metal(relief: np.ndarray, colour: np.ndarray, light: tuple[float, float, float], gloss: float) -> np.ndarray:
    """(h, w, 3) light from a metal of this relief: sun, a sky that is bright above and dark below, highlight."""
    nx = cv2.Sobel(relief, cv2.CV_32F, 1, 0, scale=-0.125)
    ny = cv2.Sobel(relief, cv2.CV_32F, 0, 1, scale=-0.125)
    inverse = 1 / np.sqrt(nx * nx + ny * ny + 1)
    lx, ly, lz = (np.float32(part) for part in light)
    sun = np.maximum((nx * lx + ny * ly + lz) * inverse, 0)
    hz = lz + np.float32(1)
    half = (nx * lx + ny * ly + hz) * inverse / np.float32(np.sqrt(light[0] ** 2 + light[1] ** 2 + float(hz) ** 2))
    highlight = np.clip(half, 0.6, 1)  # from 0.6, so that squares stay far from denormal numbers, which are slow
    for _ in range(5):
        highlight = highlight * highlight
    highlight = np.float32(gloss) * highlight
    sky = np.tanh((nx * lx + ny * ly) * inverse * 3)
    base = np.float32(0.22) + np.float32(0.62) * sun + np.float32(0.17) * sky
    return np.asarray(colour * deep(base) + deep(highlight))
