"""Fog, snow, ice, rain and splashes: layers drawn from chance, and how they are laid over a picture."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.augmentations._blur import smeared, streak
from sightline.augmentations._pixels import normal, veiled
from sightline.core.depth import LUMA, from_unit, unit

Size = tuple[int, int]


def plasma(rng: np.random.Generator, size: Size, decay: float) -> np.ndarray:
    """Heights of 0..1 by the diamond-square algorithm (Fournier, Fussell and Carpenter 1982)."""
    side = 1 << max(1, (max(size) - 1).bit_length())
    heights = np.zeros((side, side), np.float32)
    step, rough = side, 100.0

    def rise(total: np.ndarray) -> np.ndarray:
        drawn = rng.random(total.shape, np.float32) * np.float32(2) - np.float32(1)
        return np.asarray(total / 4 + np.float32(rough * rough) * drawn)

    while step >= 2:
        half = step // 2
        corner = heights[::step, ::step]
        total = corner + np.roll(corner, -1, 0)
        heights[half::step, half::step] = rise(total + np.roll(total, -1, 1))
        middle = heights[half::step, half::step]
        heights[::step, half::step] = rise(middle + np.roll(middle, 1, 0) + corner + np.roll(corner, -1, 1))
        heights[half::step, ::step] = rise(middle + np.roll(middle, 1, 1) + corner + np.roll(corner, -1, 0))
        step, rough = half, rough / decay
    heights -= heights.min()
    heights *= np.float32(1 / max(float(heights.max()), 1e-12))
    return heights[: size[0], : size[1]]


def fogged(pixels: np.ndarray, veil: np.ndarray, depth: float) -> np.ndarray:
    """Picture and veil together, scaled back to the brightest that the picture had."""
    top = (
        float(np.fmax.reduce(unit(pixels), axis=None))
        if pixels.dtype.kind == "f"
        else float(pixels.max()) / np.iinfo(pixels.dtype).max
    )
    keep = top / (top + depth)
    return veiled(pixels, keep, veil * np.float32(depth * keep))


def flakes(
    rng: np.random.Generator,
    size: Size,
    mean: float,
    spread: float,
    zoom: float,
    least: float,
    radius: float,
    soft: float,
) -> np.ndarray:
    """Bright specks, enlarged, drawn out along the wind."""
    rows, columns = size
    layer = normal(rng, (rows, columns), spread) + np.float32(mean)
    small = layer[: max(1, int(np.ceil(rows / zoom))), : max(1, int(np.ceil(columns / zoom)))]
    layer = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
    layer[layer < least] = 0
    np.clip(layer, 0, 1, out=layer)
    return smeared(layer[..., None], streak(radius, soft, rng.uniform(-135, -45)))[..., 0]


def snowed(pixels: np.ndarray, layer: np.ndarray, keep: float) -> np.ndarray:
    """Paler, then the flakes of two winds."""
    values = unit(pixels)
    gray = values @ LUMA if values.shape[2] == 3 else values.mean(2)
    pale = np.maximum(values, (gray * np.float32(1.5) + np.float32(0.5))[..., None])
    values *= np.float32(keep)
    values += np.float32(1 - keep) * pale
    values += (layer + layer[::-1, ::-1])[..., None]
    return from_unit(values, pixels)


def ice(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Frost in 0..1: feathers of ice whose barbs leave their shaft at sixty degrees, over an uneven milky film."""
    rows, columns = size
    small = (max(8, min(rows, 384)), max(8, min(columns, 384)))
    side = max(small)
    feathers = np.zeros(small, np.uint8)
    for shaft in range(22):
        start = rng.uniform(-0.1, 1.1, 2) * (small[1], small[0])
        _feather(feathers, rng, start, rng.uniform(0, 360), side * rng.uniform(0.25, 0.7), 110 + 5 * shaft)
    sharp = cv2.GaussianBlur(feathers, (0, 0), 0.6).astype(np.float32) / 255
    glow = cv2.GaussianBlur(sharp, (0, 0), max(1.0, side * 0.012))
    film = cv2.resize(rng.random((6, 6), np.float32), small[::-1], interpolation=cv2.INTER_CUBIC)
    grain = rng.random((small[0] // 2 + 1, small[1] // 2 + 1), np.float32)
    film = film * np.float32(0.35) + cv2.resize(grain, small[::-1]) * np.float32(0.15) + np.float32(0.2)
    layer = np.clip(sharp * np.float32(0.55) + glow * np.float32(0.9) + film, 0, 1)
    return np.asarray(cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_LINEAR))


def _feather(
    canvas: np.ndarray, rng: np.random.Generator, start: np.ndarray, degrees: float, long: float, light: int
) -> None:
    """A shaft with barbs on both sides, the longest in its lower half."""
    way = _way(degrees)
    count = max(4, int(long / 5))
    at = np.linspace(0.02, 1, count)
    reach = 0.45 * long * np.minimum(1, 3 * at) * (1.02 - at) * rng.uniform(0.6, 1.0, count)
    roots = start + at[:, None] * long * way
    lines = [np.stack([start, start + long * way])]
    for side in (-60, 60):
        tips = roots + reach[:, None] * _way(degrees + side)
        lines += list(np.stack([roots, tips], 1))
    for line in lines:
        (x0, y0), (x1, y1) = np.rint(line * 16).astype(int).tolist()
        cv2.line(canvas, (x0, y0), (x1, y1), light, 1, cv2.LINE_AA, 4)


def _way(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def splashes(
    rng: np.random.Generator,
    size: Size,
    mean: float,
    spread: float,
    soft: float,
    least: float,
    weight: float,
    *,
    mud: bool,
) -> tuple[np.ndarray, tuple[float, float, float]]:
    """How much each pixel is covered by drops, and their colour."""
    layer = cv2.GaussianBlur(normal(rng, size, spread) + np.float32(mean), (0, 0), soft)
    layer[layer < least] = 0
    if mud:
        cover = cv2.GaussianBlur((layer > least).astype(np.float32), (0, 0), weight)
        cover[cover < 0.8] = 0
        return cover, (63 / 255, 42 / 255, 20 / 255)
    drops = (np.clip(layer, 0, 1) * 255).astype(np.uint8)
    away = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    rim = cv2.equalizeHist(cv2.blur(np.minimum(away, 20), (3, 3)).astype(np.uint8))
    rim = cv2.blur(cv2.filter2D(rim, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])), (3, 3))
    cover = drops.astype(np.float32) * rim
    return cover / max(float(cover.max()), 1e-6) * np.float32(weight), (175 / 255, 238 / 255, 238 / 255)


def splashed(pixels: np.ndarray, cover: np.ndarray, colour: tuple[float, float, float], *, mud: bool) -> np.ndarray:
    """Water adds light, mud hides what is behind it."""
    gain: float | np.ndarray = 1 - cover if mud else 1.0
    if pixels.shape[2] == 3:
        return veiled(pixels, gain, cover, colour)
    return veiled(pixels, gain, cover * np.float32(np.dot(LUMA, colour)))


def drops(rng: np.random.Generator, size: Size, part: float, long: float, degrees: float) -> np.ndarray:
    """Streaks of rain in 0..1: near ones longer and brighter."""
    rows, columns = size
    layer = np.zeros(size, np.uint8)
    count = max(1, round(part * min(rows * columns, 300_000) ** 0.5))
    near = rng.uniform(0.4, 1.0, count)
    way = _way(degrees)
    start = rng.uniform(-0.1, 1.1, (count, 2)) * (columns, rows)
    ends = start + near[:, None] * long * max(size) * way
    fine = np.rint(np.stack([start, ends], 1) * 16).astype(int).tolist()
    thick = max(1, round(max(size) / 500))
    for (begin, end), bright in zip(fine, (near * 255).tolist(), strict=True):
        cv2.line(layer, begin, end, bright, thick, cv2.LINE_8, 4)
    return np.asarray(cv2.blur(layer, (3, 3)).astype(np.float32) * np.float32(1 / 255))
