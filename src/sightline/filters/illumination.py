"""Filters for light that is uneven: over the picture, over its depth of shadow, or by the lens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.asked import several, within
from sightline.core.depth import from_unit, span, unit
from sightline.core.errors import InputError
from sightline.filters._given import picture_of
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import blurred, gray_of, guided_by, relit

_LEAST = np.float32(1 / 1024)  # darker than this no light can be told


@on_pixels
def flat_field(image: np.ndarray, *, reference: Any = None, dark: Any = None, spread: float = 0.15) -> np.ndarray:
    """Divided by the light of the scene: that of a `reference` picture of an even ground, or its own soft light.

    `reference` and `dark` (the closed lens) are arrays or files of the same size. Without a reference, light is what
    changes over `spread` of the longer side and is the same for all channels.
    """
    within("flat_field", 0.01, 1, spread=spread)
    values = unit(image)
    black = _same("dark", dark, image) if dark is not None else np.float32(0)
    if reference is None:
        light = np.maximum(blurred(gray_of(values), spread * max(image.shape[:2])), _LEAST)[..., None]
    else:
        light = np.maximum(_same("reference", reference, image) - black, _LEAST)
    return from_unit((values - black) * (light.mean((0, 1), dtype=np.float64).astype(np.float32) / light), image)


def _same(name: str, given: Any, image: np.ndarray) -> np.ndarray:
    """That picture from 0 to 1, as large as this one; its channels, or one for all."""
    found = picture_of("flat_field", name, given)
    if found.ndim != 3 or found.shape[:2] != image.shape[:2] or found.shape[2] not in (1, image.shape[2]):
        raise InputError("mismatch", f"flat_field: the {name} is {found.shape}, the picture {image.shape}.")
    low, top = span(image) if found.dtype == image.dtype else span(found)
    return np.asarray((found.astype(np.float32) - np.float32(low)) / np.float32(top - low))


@on_pixels
def homomorphic(image: np.ndarray, *, spread: float = 0.08, low: float = 0.5, high: float = 1.3) -> np.ndarray:
    """Light, coarser than `spread` of the longer side, times `low`, and all else times `high`, as logarithms."""
    within("homomorphic", 0.001, 1, spread=spread)
    within("homomorphic", 0, 5, low=low, high=high)
    values = unit(image)
    gray = gray_of(values)
    log = np.log(gray + np.float32(0.01))
    light = blurred(log, spread * max(gray.shape))
    middle = np.float32(light.mean(dtype=np.float64))
    made = np.exp(middle + np.float32(low) * (light - middle) + np.float32(high) * (log - light)) - np.float32(0.01)
    return from_unit(relit(values, gray, np.clip(made, 0, 1)), image)


@on_pixels
def retinex(image: np.ndarray, *, scales: Sequence[float] = (0.03, 0.12, 0.4), clip: float = 0.01) -> np.ndarray:
    """Each gray against the light around it, at one or several scales (Jobson et al. 1997), stretched to the range.

    `scales` are shares of the longer side, `clip` is the share at both ends that may become black or white. Colours
    follow their gray.
    """
    several("retinex", 0.001, 1, scales=scales)
    within("retinex", 0, 0.3, clip=clip)
    values = unit(image)
    gray = gray_of(values)
    log = np.log(gray + np.float32(1 / 255))
    light = [np.log(blurred(gray, scale * max(gray.shape)) + np.float32(1 / 255)) for scale in scales]
    against = log - np.mean(light, 0)
    low, high = np.quantile(against[:: max(1, gray.shape[0] // 512), :: max(1, gray.shape[1] // 512)], (clip, 1 - clip))
    if high - low < 1e-4:
        return image.copy()
    return from_unit(relit(values, gray, np.clip((against - low) / (high - low), 0, 1).astype(np.float32)), image)


@on_pixels
def local_contrast(image: np.ndarray, *, amount: float = 0.5, spread: float = 0.03) -> np.ndarray:
    """Differences to the surroundings, `spread` of the longer side wide, made larger without halos at strong edges."""
    within("local_contrast", -1, 5, amount=amount)
    within("local_contrast", 0.001, 0.5, spread=spread)
    values = unit(image)
    gray = gray_of(values)
    base = guided_by(gray, gray, max(1, round(spread * max(gray.shape))), 0.01)
    return from_unit(relit(values, gray, np.clip(gray + np.float32(amount) * (gray - base), 0, 1)), image)


@on_pixels
def lift_shadows(image: np.ndarray, *, amount: float = 0.5, below: float = 0.4) -> np.ndarray:
    """What lies in the dark, softly `below` that share of white, made lighter; its own contrast stays."""
    within("lift_shadows", 0, 1, amount=amount)
    within("lift_shadows", 0.05, 1, below=below)
    values = unit(image)
    gray = gray_of(values)
    base = np.clip(guided_by(gray, gray, max(1, max(gray.shape) // 40), 0.01), _LEAST, 1)
    depth = np.clip(1 - base / np.float32(below), 0, 1)
    return from_unit(relit(values, gray, np.minimum(gray * (1 + 3 * np.float32(amount) * depth * depth), 1)), image)


@on_pixels
def soften_glare(image: np.ndarray, *, amount: float = 0.5, above: float = 0.7) -> np.ndarray:
    """What is glaring, softly `above` that share of white, made darker; what is wholly white stays without detail."""
    within("soften_glare", 0, 1, amount=amount)
    within("soften_glare", 0, 0.95, above=above)
    values = unit(image)
    gray = gray_of(values)
    base = np.clip(guided_by(gray, gray, max(1, max(gray.shape) // 40), 0.01), 0, 1)
    height = np.clip((base - np.float32(above)) / np.float32(1 - above), 0, 1)
    return from_unit(relit(values, gray, gray * (1 - np.float32(0.5 * amount) * height)), image)


@on_pixels
def vignette(image: np.ndarray, *, amount: float = 0.5) -> np.ndarray:
    """Corners darker by the share `amount`, the middle as it was, and a soft way between them."""
    within("vignette", 0, 1, amount=amount)
    values = unit(image)
    values *= _falling(image.shape, amount)[..., None]
    return from_unit(values, image)


@on_pixels
def unvignette(image: np.ndarray, *, amount: float = 0.0) -> np.ndarray:
    """The light that a lens loses towards the corners given back: `amount` as in `vignette`, 0: told from the picture.

    Told by a straight line through gray against the square of the distance from the middle, which dark things in the
    corners mislead.
    """
    within("unvignette", 0, 0.95, amount=amount)
    values = unit(image)
    share = amount or _lost(gray_of(values))
    if not share:
        return image.copy()
    values /= np.maximum(_falling(image.shape, share), np.float32(0.05))[..., None]
    return from_unit(values, image)


def _distance(rows: int, columns: int) -> np.ndarray:
    """Square of the distance from the middle, 1 in the corners."""
    down = (np.arange(rows, dtype=np.float32) + 0.5) / rows * 2 - 1
    right = (np.arange(columns, dtype=np.float32) + 0.5) / columns * 2 - 1
    tall, broad = rows * rows, columns * columns
    return np.asarray((down[:, None] ** 2 * tall + right**2 * broad) / (tall + broad), np.float32)


def _falling(shape: Sequence[int], amount: float) -> np.ndarray:
    """A lens loses light with the fourth power of the cosine: near the middle, with the square of the distance."""
    return np.asarray(1 - np.float32(amount) * _distance(shape[0], shape[1]))


def _lost(gray: np.ndarray) -> float:
    """The share of light that the corners lack; 0 where they are no darker than the middle."""
    import cv2

    if min(gray.shape) < 16:
        return 0.0
    small = np.asarray(cv2.resize(gray, (64, 64), interpolation=cv2.INTER_AREA), np.float64)
    far = _distance(64, 64).astype(np.float64).ravel()
    seen, weights = small.ravel(), np.ones(64 * 64)
    start = slope = 0.0
    for _ in range(20):  # lines through most of the pixels, not through their mean
        slope, start = np.polyfit(far, seen, 1, w=np.sqrt(weights))
        off = np.abs(seen - start - slope * far)
        weights = 1 / np.maximum(off, 0.02)
    return float(np.clip(-slope / start, 0, 0.9)) if start > 0.02 and -slope / start > 0.05 else 0.0
