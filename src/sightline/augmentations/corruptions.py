"""The fifteen corruptions of ImageNet-C and four more (Hendrycks and Dietterich 2019), severities 1 to 5.

The constants are the published ones; between two whole severities they are mixed. A severity given as a pair is drawn.
`frost` and `glass_blur` are made otherwise than published: each says how.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from sightline.augmentations import _blur, _noise, _weather
from sightline.augmentations._draw import Severity, constants, level
from sightline.augmentations._pixels import change, change_flat, linear, need_colour, noisy, smoothed, veiled
from sightline.core import warp
from sightline.core.annotations import Heatmap, Objects, Picture, Regions
from sightline.core.carried import carry, size_of
from sightline.core.depth import span
from sightline.core.resampling import resize
from sightline.core.sample import Sample


def gaussian_noise(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Normal noise, as of a hot sensor in low light."""
    strength = constants(level(rng, severity), (0.08, 0.12, 0.18, 0.26, 0.38))
    return change(sample, lambda pixels: noisy(pixels, rng, strength))


def shot_noise(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Poisson noise of so many photons at white, as light itself has it."""
    photons = constants(level(rng, severity), (60, 25, 12, 5, 3))
    return change(sample, lambda pixels: _noise.shot(pixels, rng, photons))


def impulse_noise(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Salt and pepper: single values lost to black or white."""
    part = constants(level(rng, severity), (0.03, 0.06, 0.09, 0.17, 0.27))
    return change(sample, lambda pixels: _noise.impulses(pixels, rng, part))


def speckle_noise(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Noise in proportion to brightness, as of radar and ultrasound."""
    strength = constants(level(rng, severity), (0.15, 0.2, 0.35, 0.45, 0.6))
    return change(sample, lambda pixels: _noise.speckle(pixels, rng, strength))


def gaussian_blur(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 2)) -> Sample:
    """Soft all over."""
    deviation = constants(level(rng, severity), (1, 2, 3, 4, 6))
    return change_flat(sample, lambda pixels: smoothed(pixels, deviation))


def defocus_blur(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 2)) -> Sample:
    """Every point a disc, as of a lens out of focus."""
    radius, soft = constants(level(rng, severity), ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)))
    kernel = _blur.disc(radius, soft)
    return change_flat(sample, lambda pixels: _blur.through(pixels, kernel))


def glass_blur(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 2)) -> Sample:
    """Pixels shuffled with near ones, as through frosted glass; published in order, here all at once, each time."""
    table = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
    deviation, reach, times = constants(level(rng, severity), table)
    return change_flat(sample, lambda pixels: _blur.glass(pixels, rng, deviation, round(reach), round(times)))


def motion_blur(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 2)) -> Sample:
    """Every point a fading streak, as of a moving camera."""
    radius, deviation = constants(level(rng, severity), ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)))
    steps = _blur.streak(radius, deviation, rng.uniform(-45, 45))
    return change_flat(sample, lambda pixels: _blur.smeared(pixels, steps))


def zoom_blur(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Smeared from the middle outwards, as of a camera that moves ahead."""
    most, step = constants(level(rng, severity), ((1.1, 0.01), (1.15, 0.01), (1.2, 0.02), (1.25, 0.02), (1.3, 0.03)))
    return change_flat(sample, lambda pixels: _blur.zoomed(pixels, np.arange(1, most + 1e-6, step)))


def snow(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Flakes that fall aslant, and a paler world."""
    table = (
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    )
    chosen = constants(level(rng, severity), table)
    flakes = _weather.flakes(rng, size_of(sample), *chosen[:6])
    return change_flat(sample, lambda pixels: _weather.snowed(pixels, flakes, chosen[6]))


def frost(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Ice crystals over the picture; grown here, where the published ones are six photographs."""
    keep, add = constants(level(rng, severity), ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)))
    ice = _weather.ice(rng, size_of(sample)) * np.float32(add)
    return change_flat(sample, lambda pixels: veiled(pixels, float(keep), ice, (0.92, 0.97, 1.0)))


def fog(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """A veil of uneven depth, from the diamond-square fractal."""
    depth, decay = constants(level(rng, severity), ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)))
    veil = _weather.plasma(rng, size_of(sample), decay)
    return change_flat(sample, lambda pixels: _weather.fogged(pixels, veil, depth))


def spatter(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 5)) -> Sample:
    """Drops of water on the lens up to severity 3, mud from 4."""
    table = (
        (0.65, 0.3, 4, 0.69, 0.6),
        (0.65, 0.3, 3, 0.68, 0.6),
        (0.65, 0.3, 2, 0.68, 0.5),
        (0.65, 0.3, 1, 0.65, 1.5),
        (0.67, 0.4, 1, 0.65, 1.5),
    )
    drawn = level(rng, severity)
    drawn = float(round(drawn)) if 3 < drawn < 4 else drawn  # water and mud do not mix
    cover, colour = _weather.splashes(rng, size_of(sample), *constants(drawn, table), mud=drawn > 3)
    return change_flat(sample, lambda pixels: _weather.splashed(pixels, cover, colour, mud=drawn > 3))


def brightness(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Brighter by a part of the range; in colour pictures the value of HSV, so that colours stay."""
    more = constants(level(rng, severity), (0.1, 0.2, 0.3, 0.4, 0.5))

    def edit(pixels: np.ndarray) -> np.ndarray:
        return _brighter(pixels, more) if pixels.shape[-1] == 3 else linear(pixels, 1.0, more)

    return change_flat(sample, edit)


def _brighter(pixels: np.ndarray, more: float) -> np.ndarray:
    """Scaling all three by (value + more) / value is what a shift of HSV's value does."""
    low, top = span(pixels)
    value = cv2.max(cv2.max(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    known = np.float32(1 / (top - low)) * (value.astype(np.float32) - np.float32(low))
    factor = np.minimum(known + np.float32(more), 1) / np.maximum(known, np.float32(1e-6))
    factor[known <= 0] = 0
    made = (pixels.astype(np.float32) - np.float32(low)) * factor[..., None] + np.float32(low)
    made[known <= 0] = low + more * (top - low)
    np.clip(made, low, top, out=made)
    return np.asarray(np.rint(made) if pixels.dtype.kind == "u" else made).astype(pixels.dtype)


def contrast(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Drawn in to the mean of each channel."""
    gain = constants(level(rng, severity), (0.4, 0.3, 0.2, 0.1, 0.05))

    def edit(pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype.kind == "f" or pixels.shape[2] > 4:
            means: list[float] = np.asarray(np.nanmean(pixels, (0, 1), np.float64)).tolist()
        else:
            means = list(cv2.mean(pixels)[: pixels.shape[2]])
        parts = [
            cv2.addWeighted(pixels[..., c], gain, pixels[..., c], 0, mean * (1 - gain)) for c, mean in enumerate(means)
        ]
        return np.stack(parts, -1)

    return change_flat(sample, edit)


def saturate(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Colours nearly gone at severities 1 and 2, too strong from 3."""
    gain, more = constants(level(rng, severity), ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)))
    if not need_colour(sample, "saturate"):
        return sample

    def edit(pixels: np.ndarray) -> np.ndarray:
        low, top = span(pixels)
        known = (pixels.astype(np.float32) - np.float32(low)) * np.float32(1 / (top - low))
        hues = cv2.cvtColor(known, cv2.COLOR_RGB2HSV)
        hues[..., 1] = np.clip(hues[..., 1] * np.float32(gain) + np.float32(more), 0, 1)
        made = cv2.cvtColor(hues, cv2.COLOR_HSV2RGB) * np.float32(top - low) + np.float32(low)
        return np.asarray(np.rint(made) if pixels.dtype.kind == "u" else made).astype(pixels.dtype)

    return change_flat(sample, edit)


def jpeg_compression(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Through JPEG of a low quality; deeper pictures lose what eight bits lose."""
    quality = round(constants(level(rng, severity), (25, 18, 15, 10, 7)))
    return change_flat(sample, partial(_noise.recoded, suffix=".jpg", quality=quality))


def webp_compression(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Through WebP of a low quality; deeper pictures lose what eight bits lose."""
    quality = round(constants(level(rng, severity), (25, 18, 15, 10, 7)))
    return change_flat(sample, partial(_noise.recoded, suffix=".webp", quality=quality))


def pixelate(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Made small and large again in blocks."""
    part = constants(level(rng, severity), (0.6, 0.5, 0.4, 0.3, 0.25))

    def edit(pixels: np.ndarray) -> np.ndarray:
        size = pixels.shape[:2]
        small = resize(pixels, (max(1, int(size[0] * part)), max(1, int(size[1] * part))), "area")
        rows = np.minimum(np.arange(size[0]) * len(small) // size[0], len(small) - 1)
        columns = np.minimum(np.arange(size[1]) * small.shape[1] // size[1], small.shape[1] - 1)
        if pixels.shape[2] > 4:
            return np.ascontiguousarray(small[rows][:, columns])
        return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT).reshape(pixels.shape))

    return change_flat(sample, edit)


def elastic_transform(sample: Sample, rng: np.random.Generator, *, severity: Severity = (1, 3)) -> Sample:
    """Short, sharp waves; what is true moves along, and then the waves are weakened until they do not fold."""
    alpha = 250 * constants(level(rng, severity), (0.05, 0.065, 0.085, 0.1, 0.12))
    rows, columns = size_of(sample)
    reach = rows * 0.005
    drawn = rng.uniform(-reach, reach, (rows, columns, 2)).astype(np.float32)
    soft = cv2.GaussianBlur(drawn, (0, 0), max(columns * 0.01, 1e-3), sigmaY=max(rows * 0.01, 1e-3))
    placed = isinstance(sample.truth, Objects | Regions | Heatmap | Picture)
    return carry(
        sample, warp.waves(soft.reshape(rows, columns, 2) * np.float32(alpha), gentle=placed), border="reflect"
    )
