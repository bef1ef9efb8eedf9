"""What is to be undone: noise, compression, blur, holes and age, each of a strength drawn from a range.

The same chance does the same to every depth. A strength may be given as a number instead of a range.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from sightline.augmentations import _blur, _noise
from sightline.augmentations._draw import between
from sightline.augmentations._pixels import change_flat, normal, smoothed
from sightline.core.depth import from_unit, unit
from sightline.core.errors import SettingsError
from sightline.core.sample import Sample

Reach = float | tuple[float, float]
_LENSES = ("soft", "moved", "unfocused")


def blind_noise(sample: Sample, rng: np.random.Generator, *, sigma: Reach = (0.0, 75.0)) -> Sample:
    """Normal noise of a deviation in gray levels of eight bits, which is drawn."""
    strength = between(rng, sigma) / 255
    return _valued(sample, lambda values: values + normal(rng, values.shape, strength))


def sensor_noise(
    sample: Sample,
    rng: np.random.Generator,
    *,
    photons: Reach = (30.0, 1500.0),
    read: Reach = (0.5, 6.0),
    grain: Reach = (0.0, 0.9),
) -> Sample:
    """A sensor's noise: of photons at white, of reading in gray levels, smeared by `grain` pixels of demosaicing."""
    light, dark, smear = math.exp(between(rng, _log(photons))), between(rng, read) / 255, between(rng, grain)

    def edit(values: np.ndarray) -> np.ndarray:
        drawn = normal(rng, values.shape)
        if smear > 0.3:
            soft = cv2.GaussianBlur(drawn, (0, 0), smear).reshape(drawn.shape)
            drawn = soft * np.float32(1 / max(float(np.nanstd(soft)), 0.05))
        spread = np.sqrt(values.clip(0, 1) / np.float32(light) + np.float32(dark**2))
        return np.asarray(values + drawn * spread)

    return _valued(sample, edit)


def jpeg(sample: Sample, rng: np.random.Generator, *, quality: Reach = (5, 95)) -> Sample:
    """Through a JPEG file of a quality that is drawn."""
    drawn = round(between(rng, quality))
    if not 1 <= drawn <= 100:
        raise SettingsError(f"jpeg: quality = {drawn}: must be from 1 to 100.")
    return change_flat(sample, lambda pixels: _noise.recoded(pixels, ".jpg", drawn))


def lens_blur(sample: Sample, rng: np.random.Generator, *, radius: Reach = (0.5, 4.0), kind: str = "any") -> Sample:
    """Blurred through a Gaussian (soft), along a line (moved) or by a disc (unfocused), of a radius in pixels."""
    if kind not in (*_LENSES, "any"):
        raise SettingsError(f"lens_blur: kind = {kind!r}: must be {', '.join(_LENSES)} or any.")
    lens = str(rng.choice(_LENSES)) if kind == "any" else kind
    reach, angle = max(1e-3, between(rng, radius)), float(rng.uniform(0, 360))
    if lens == "soft":
        return change_flat(sample, lambda pixels: smoothed(pixels, max(0.1, reach / 2)))
    kernel = _blur.disc(max(0.6, reach), 0.5) if lens == "unfocused" else _line(reach, angle)
    return change_flat(sample, lambda pixels: _blur.through(pixels, kernel))


def holes(sample: Sample, rng: np.random.Generator, *, part: Reach = (0.02, 0.2)) -> Sample:
    """Strokes and blots of nothing over a part of the picture: every channel becomes black there, also a mask's."""
    share, seed = between(rng, part), int(rng.integers(2**31))
    return _valued(sample, lambda values: np.where(_torn(values.shape, share, seed), np.float32(0), values))


def scratches(sample: Sample, rng: np.random.Generator, *, count: Reach = (2, 14)) -> Sample:
    """Thin bright and dark lines, and specks of dust, as old prints have them."""
    lines, seed = max(1, round(between(rng, count))), int(rng.integers(2**31))

    def edit(values: np.ndarray) -> np.ndarray:
        cover, light = _scratched(values.shape, lines, seed)
        return np.asarray(values * (1 - cover[..., None]) + (cover * light)[..., None])

    return _valued(sample, edit)


def faded(sample: Sample, rng: np.random.Generator, *, fade: Reach = (0.2, 0.6), tint: Reach = (0.0, 0.25)) -> Sample:
    """Bleached by the years: little contrast, black that is gray, and a yellow tint where there is colour."""
    weak, warm = between(rng, fade), between(rng, tint)
    low = float(rng.uniform(0.2, 0.5)) * weak
    cast = np.array([1 + warm * 0.3, 1.0, 1 - warm], np.float32)

    def edit(values: np.ndarray) -> np.ndarray:
        made = values * np.float32(1 - weak) + np.float32(low)
        return made * cast if values.shape[-1] == 3 else made

    return _valued(sample, edit)


def _valued(sample: Sample, edit: Callable[[np.ndarray], np.ndarray]) -> Sample:
    """Every picture edited as float32 values of 0..1, whatever its depth; gaps that were not measured stay."""

    def whole(pixels: np.ndarray) -> np.ndarray:
        return from_unit(np.asarray(edit(unit(pixels)), np.float32), pixels)

    return change_flat(sample, whole)


def _log(reach: Any) -> Any:
    return tuple(map(math.log, reach)) if isinstance(reach, tuple | list) else math.log(reach)


def _line(radius: float, degrees: float) -> np.ndarray:
    """An even line of weights through the middle of a kernel."""
    reach = max(1, math.ceil(radius))
    turn = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]) * radius
    ends = [tuple(np.rint((reach + way * turn) * 16).astype(int).tolist()) for way in (-1, 1)]
    drawn = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    cv2.line(drawn, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    drawn[reach, reach] = max(int(drawn[reach, reach]), 64)
    return drawn.astype(np.float32) / np.float32(drawn.sum())


def _torn(shape: tuple[int, ...], share: float, seed: int) -> np.ndarray:
    """Where nothing is left: strokes of a brush and blots, until they cover their share; something always remains."""
    rng = np.random.default_rng(seed)
    rows, columns = shape[:2]
    cover = np.zeros((rows, columns), np.uint8)
    long = max(rows, columns)
    for _ in range(200):
        if cv2.countNonZero(cover) >= share * cover.size:
            break
        place = (int(rng.integers(columns)), int(rng.integers(rows)))
        wide = max(1, round(long * rng.uniform(0.01, 0.05)))
        if rng.random() < 0.6:
            bend = (place + rng.normal(0, long * 0.15, (3, 2)).cumsum(0)).round().astype(np.int32)
            cv2.polylines(cover, [np.concatenate([[place], bend]).astype(np.int32)], False, 1, wide)
        else:
            cv2.ellipse(cover, place, (2 * wide, wide), float(rng.uniform(0, 180)), 0, 360, 1, -1)
    if cover.all():
        cover[...] = 0
    return np.asarray(cover[..., None] > 0)


def _scratched(shape: tuple[int, ...], lines: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How much each pixel is covered, and how light what covers it is."""
    rng = np.random.default_rng(seed)
    rows, columns = shape[:2]
    cover, light = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    long = max(rows, columns)
    for _ in range(lines):
        shade = float(rng.uniform(0.85, 1.0) if rng.random() < 0.7 else rng.uniform(0.0, 0.12))
        upright = rng.random() < 0.6
        start = np.array([rng.uniform(0, columns), rng.uniform(0, rows)])
        drift = np.array([rng.normal(0, 0.04), 1.0] if upright else rng.normal(0, 0.7, 2))
        steps = np.linspace(0, rng.uniform(0.3, 1.2) * long, 8)[:, None]
        points = start + steps * drift / max(float(np.hypot(*drift)), 1e-6) + rng.normal(0, 0.004 * long, (8, 2))
        drawn, wide = np.zeros((rows, columns), np.uint8), 1 + int(rng.random() < 0.3)
        cv2.polylines(drawn, [points.round().astype(np.int32)], False, 255, wide, cv2.LINE_AA)
        line = drawn * np.float32(rng.uniform(0.6, 1.0) / 255)
        light = np.where(line > cover, np.float32(shade), light)
        cover = np.maximum(cover, line)
    specks = int(rng.integers(lines + 1))
    for x, y in zip(rng.integers(0, columns, specks).tolist(), rng.integers(0, rows, specks).tolist(), strict=True):
        cv2.circle(cover, (x, y), int(rng.integers(1, 3)), 1.0, -1)
        cv2.circle(light, (x, y), 3, 0.95, -1)
    return cover, light
