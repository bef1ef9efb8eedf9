"""Fog, snow, ice, rain and splashes: layers drawn from chance, and how they are laid over a picture."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.augmentations._blur import smeared, streak
from sightline.augmentations._pixels import LUMA, from_unit, normal, unit, veiled

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
    top = float(unit(pixels).max()) if pixels.dtype.kind == "f" else float(pixels.max()) / np.iinfo(pixels.dtype).max
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
    """Feathers of frost in 0..1: needles that branch at sixty degrees, denser towards the rim."""
    rows, columns = size
    small = (max(8, min(rows, 384)), max(8, min(columns, 384)))
    side = max(small)
    y, x = np.mgrid[: small[0], : small[1]].astype(np.float32)
    rim = np.maximum(np.abs(x / (small[1] - 1) - 0.5), np.abs(y / (small[0] - 1) - 0.5)) * 2
    layer = np.zeros(small, np.float32)
    for scale, weight in ((0.25, 0.5), (0.1, 0.8), (0.04, 1.0)):
        turn = float(rng.uniform(0, 60))
        for branch in range(3):
            seeds = (rng.random(small, np.float32) < 0.012 / scale * 0.12).astype(np.float32)
            kernel = _needle(max(2, round(side * scale)), turn + 60 * branch)
            layer += np.float32(weight) * cv2.filter2D(seeds, -1, kernel, borderType=cv2.BORDER_REFLECT)
    cloud = cv2.resize(rng.random((5, 5), np.float32), small[::-1], interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.random(small, np.float32), (0, 0), 0.8)
    layer = np.tanh(layer * (0.25 + 0.9 * rim + 0.7 * cloud)) * (0.75 + 0.5 * grain)
    layer = np.clip(0.25 * cloud + layer, 0, 1)
    return np.asarray(cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_CUBIC).clip(0, 1))


def _needle(long: int, degrees: float) -> np.ndarray:
    kernel = np.zeros((2 * long + 1, 2 * long + 1), np.float32)
    end = (np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * long + long).round().astype(int)
    cv2.line(kernel, (long, long), (int(end[0]), int(end[1])), 1.0, 1, cv2.LINE_AA)
    fade = np.hypot(*(np.mgrid[-long : long + 1, -long : long + 1] / long)).astype(np.float32)
    return np.asarray(kernel * np.clip(1 - fade, 0, 1))


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
    way = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    start = rng.uniform(-0.1, 1.1, (count, 2)) * (columns, rows)
    ends = start + near[:, None] * long * max(size) * way
    fine = np.rint(np.stack([start, ends], 1) * 16).astype(int).tolist()
    thick = max(1, round(max(size) / 500))
    for (begin, end), bright in zip(fine, (near * 255).tolist(), strict=True):
        cv2.line(layer, begin, end, bright, thick, cv2.LINE_8, 4)
    return np.asarray(cv2.blur(layer, (3, 3)).astype(np.float32) * np.float32(1 / 255))
