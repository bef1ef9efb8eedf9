"""What cameras meet in the open, severities 1 to 5: rain, glare, shadow, darkness, things in the way."""

from __future__ import annotations

import math

import cv2
import numpy as np

from sightline.augmentations import _weather
from sightline.augmentations._draw import Severity, between, constants, level
from sightline.augmentations._hiding import hide
from sightline.augmentations._pixels import change_flat, noisy, smoothed, toned, veiled
from sightline.core import warp
from sightline.core.annotations import Objects
from sightline.core.carried import size_of, with_pixels
from sightline.core.depth import span
from sightline.core.sample import Sample


def blur(sample: Sample, rng: np.random.Generator, *, deviation: tuple[float, float] = (0.3, 1.6)) -> Sample:
    """Soft by a Gaussian of a random width in pixels."""
    drawn = between(rng, deviation)
    return change_flat(sample, lambda pixels: smoothed(pixels, max(drawn, 1e-3)))


def rain(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Streaks that fall aslant, and duller light."""
    table = ((0.4, 0.05, 0.95), (0.7, 0.06, 0.9), (1.1, 0.07, 0.84), (1.6, 0.08, 0.77), (2.2, 0.1, 0.7))
    part, long, dull = constants(level(rng, severity), table)
    layer = _weather.drops(rng, size_of(sample), part, long, rng.uniform(65, 115)) * np.float32(0.55)
    return change_flat(sample, lambda pixels: veiled(pixels, float(dull), layer, (0.9, 0.95, 1.0)))


def glare(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """A light in or near the picture: a bright core, a wide halo and a veil over everything."""
    core, halo, veil = constants(
        level(rng, severity),
        ((0.04, 0.2, 0.03), (0.06, 0.35, 0.06), (0.09, 0.5, 0.1), (0.12, 0.65, 0.15), (0.16, 0.8, 0.2)),
    )
    size = size_of(sample)
    rows, columns = small = _coarse(size)
    x, y = np.float32(rng.uniform(-0.1, 1.1) * columns), np.float32(rng.uniform(-0.1, 0.8) * rows)
    across, down = np.arange(columns, dtype=np.float32) - x, (np.arange(rows, dtype=np.float32) - y)[:, None]
    far = np.hypot(across, down) * np.float32(1 / max(small))
    layer = np.exp(-((far / np.float32(core)) ** 2)) + np.float32(halo) * np.exp(-far / np.float32(0.25))
    layer = cv2.resize(layer + np.float32(veil), size[::-1])
    return change_flat(sample, lambda pixels: veiled(pixels, 1 - float(veil), layer, (1.0, 0.96, 0.86)))


def shadow(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """A soft-edged shadow across a part of the picture."""
    dark, wide = constants(level(rng, severity), ((0.8, 0.25), (0.65, 0.35), (0.5, 0.45), (0.38, 0.5), (0.25, 0.6)))
    size = size_of(sample)
    rows, columns = _coarse(size)
    middle = np.array([rng.uniform(0.2, 0.8) * columns, rng.uniform(0.2, 0.8) * rows])
    turn = rng.uniform(0, np.pi)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    reach, half = 2.0 * max(rows, columns), wide * min(rows, columns) / 2
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    signs[:, 1] *= rng.uniform(0.5, 1.5, 4)
    ring = middle + signs[:, :1] * reach * along + signs[:, 1:] * half * across
    layer = np.ones((rows, columns), np.float32)
    cv2.fillPoly(layer, [np.rint(ring).astype(np.int32)], float(dark))
    layer = cv2.resize(cv2.GaussianBlur(layer, (0, 0), max(0.6, 0.012 * max(rows, columns))), size[::-1])
    return change_flat(sample, lambda pixels: veiled(pixels, layer))


def _coarse(size: warp.Size) -> warp.Size:
    """A size on which smooth layers are drawn before they are enlarged."""
    return max(2, min(size[0], size[0] // 3)), max(2, min(size[1], size[1] // 3))


def low_light(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Underexposed: darker along a curve, with the noise of a sensor turned up."""
    power, keep, strength = constants(
        level(rng, severity),
        ((1.2, 0.75, 0.01), (1.4, 0.6, 0.02), (1.7, 0.45, 0.03), (2.0, 0.33, 0.045), (2.4, 0.22, 0.06)),
    )
    return change_flat(
        sample,
        lambda pixels: noisy(
            toned(pixels, lambda values: np.float32(keep) * np.maximum(values, 0) ** power), rng, strength
        ),
    )


def occlusion(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3), least: float = 0.1) -> Sample:
    """Dark things in front of the picture; hidden keypoints say so, and what is all but hidden is dropped."""
    count, part = constants(level(rng, severity), ((1, 0.04), (2, 0.05), (3, 0.06), (4, 0.07), (5, 0.08)))
    rows, columns = size_of(sample)
    blobs = []
    for _ in range(round(count)):
        area, shape = rows * columns * part * rng.uniform(0.5, 1.5), math.exp(rng.uniform(-1, 1))
        axes = (max(1, round((area * shape / math.pi) ** 0.5)), max(1, round((area / shape / math.pi) ** 0.5)))
        blobs.append(((int(rng.integers(columns)), int(rng.integers(rows))), axes, float(rng.uniform(0, 180))))
    light = rng.uniform(0.02, 0.3)

    def edit(pixels: np.ndarray) -> np.ndarray:
        low, top = span(pixels)
        shade = float(pixels.dtype.type(low + light * (top - low)))
        made = np.array(pixels, order="C")
        if pixels.shape[2] <= 4:
            _painted(made, blobs, shade)
        else:
            made[_painted(np.zeros((rows, columns, 1), np.uint8), blobs, 1)[..., 0] > 0] = shade
        return made

    moved = change_flat(sample, edit)
    if not isinstance(sample.truth, Objects):
        return moved
    cover = _painted(np.zeros((rows, columns, 1), np.uint8), blobs, 1)[..., 0] > 0
    return with_pixels(sample, [image.read() for image in moved.images], hide(sample.truth, cover, least))


def _painted(
    pixels: np.ndarray, blobs: list[tuple[tuple[int, int], tuple[int, int], float]], shade: float
) -> np.ndarray:
    """Filled ellipses: middle, half axes, angle."""
    for middle, axes, degrees in blobs:
        cv2.ellipse(pixels, middle, axes, degrees, 0, 360, (shade,) * 4, -1)
    return pixels


def erase(
    sample: Sample,
    rng: np.random.Generator,
    *,
    chance: float = 0.5,
    part: tuple[float, float] = (0.02, 0.25),
    aspect: tuple[float, float] = (0.3, 3.3),
    count: int = 1,
    least: float = 0.1,
) -> Sample:
    """Rectangles gone to the middle gray (random erasing of Zhong et al. 2017; with squares, cutout)."""
    if rng.random() >= chance:
        return sample
    rows, columns = size_of(sample)
    cover = np.zeros((rows, columns), bool)
    pixels = [image.read().copy() for image in sample.images]
    for _ in range(count):
        area = rows * columns * between(rng, part)
        shape = math.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1])))
        high = min(rows, max(1, round((area / shape) ** 0.5)))
        wide = min(columns, max(1, round((area * shape) ** 0.5)))
        top, left = int(rng.integers(rows - high + 1)), int(rng.integers(columns - wide + 1))
        cover[top : top + high, left : left + wide] = True
        for each in pixels:
            each[..., top : top + high, left : left + wide, :] = warp.gray(each)
    return with_pixels(sample, pixels, hide(sample.truth, cover, least))
