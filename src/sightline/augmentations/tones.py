"""Augmentations of tone: tables, steps and histograms; what is true of a picture stays."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.augmentations._draw import between
from sightline.augmentations._pixels import change, change_flat, toned
from sightline.core.depth import from_unit, span, unit
from sightline.core.sample import Sample


def invert(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5) -> Sample:
    """Black becomes white."""
    return change(sample, _inverted) if rng.random() < chance else sample


def _inverted(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "u":
        return ~pixels
    low, top = span(pixels)
    return np.float32(low + top) - pixels


def posterize(sample: Sample, rng: np.random.Generator, *, bits: tuple[int, int] = (3, 6)) -> Sample:
    """Only the highest bits of each value, a random number of them."""
    kept = int(rng.integers(int(bits[0]), int(bits[1]) + 1))

    def edit(pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype.kind == "u":
            width = pixels.dtype.itemsize * 8
            return np.asarray(pixels & pixels.dtype.type((2**width - 1) & ~(2 ** (width - min(kept, width)) - 1)))
        return from_unit(np.floor(unit(pixels) * np.float32(2**kept - 1e-3)) / np.float32(2**kept), pixels)

    return change(sample, edit)


def solarize(sample: Sample, rng: np.random.Generator, *, above: tuple[float, float] = (0.4, 1.0)) -> Sample:
    """Values from a random part of the range on are inverted."""
    least = between(rng, above)

    def edit(pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype == np.uint8:
            plane = pixels.reshape(len(pixels), -1)
            bright = cv2.compare(plane, float(np.ceil(least * 255)), cv2.CMP_GE)  # 255 where it holds
            return np.asarray(cv2.bitwise_xor(plane, bright, dst=bright).reshape(pixels.shape))
        return toned(pixels, lambda values: np.where(values >= least, 1 - values, values))

    return change(sample, edit)


def equalise(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5) -> Sample:
    """Every channel's values spread evenly over the range."""
    return change_flat(sample, _equalised) if rng.random() < chance else sample


def _equalised(pixels: np.ndarray) -> np.ndarray:
    made = [_even(pixels[..., channel]) for channel in range(pixels.shape[2])]
    return cv2.merge(made).reshape(pixels.shape) if len(made) <= 4 else np.stack(made, -1)


def _even(plane: np.ndarray) -> np.ndarray:
    if plane.dtype == np.uint8:
        return np.asarray(cv2.equalizeHist(np.ascontiguousarray(plane)))
    low, top = span(plane)
    whole = plane if plane.dtype.kind == "u" else np.rint(np.nan_to_num(unit(plane)) * 65535).astype(np.uint16)
    reach = np.cumsum(np.bincount(whole.ravel(), minlength=65536))
    first = reach[reach > 0][0]
    if first == reach[-1]:
        return plane
    table = ((reach - first).clip(0) / (reach[-1] - first) * (top - low) + low).astype(np.float32)
    return np.asarray(np.asarray(np.rint(table) if plane.dtype.kind == "u" else table).astype(plane.dtype)[whole])


def autocontrast(sample: Sample, rng: np.random.Generator, *, chance: float = 0.5) -> Sample:
    """Every channel stretched from its darkest to its brightest value to the whole range."""
    return change_flat(sample, _stretched) if rng.random() < chance else sample


def _stretched(pixels: np.ndarray) -> np.ndarray:
    low, top = span(pixels)
    planes = cv2.split(pixels)
    ends = [cv2.minMaxLoc(plane)[:2] for plane in planes]
    gains = [(top - low) / (high - least) if high > least else 1.0 for least, high in ends]
    shifts = [low - least * gain if high > least else 0.0 for (least, high), gain in zip(ends, gains, strict=True)]
    if len(planes) in (3, 4):
        matrix = np.concatenate([np.diag(gains), np.array(shifts)[:, None]], 1)
        return np.asarray(_within(cv2.transform(pixels, matrix), low, top))
    made = [cv2.addWeighted(plane, g, plane, 0, s) for plane, g, s in zip(planes, gains, shifts, strict=True)]
    return _within(np.stack(made, -1), low, top)


def _within(pixels: np.ndarray, low: float, top: float) -> np.ndarray:
    return pixels if pixels.dtype.kind == "u" else np.clip(pixels, np.float32(low), np.float32(top))


def sharpness(sample: Sample, rng: np.random.Generator, *, by: tuple[float, float] = (0.2, 2.5)) -> Sample:
    """Softer below 1, crisper above: away from or towards a smoothed copy, as in Pillow."""
    factor = between(rng, by)

    def edit(pixels: np.ndarray) -> np.ndarray:
        soft = cv2.blur(pixels, (3, 3)).reshape(pixels.shape)  # Pillow weighs the middle 5 of 13, which is 9 soft + 4
        flat = pixels.reshape(len(pixels), -1)
        made = cv2.addWeighted(flat, (4 + 9 * factor) / 13, soft.reshape(flat.shape), 9 * (1 - factor) / 13, 0)
        return _within(made.reshape(pixels.shape), *span(pixels))

    return change_flat(sample, edit)


def shuffle_channels(sample: Sample, rng: np.random.Generator) -> Sample:
    """Channels in another order, the same for every picture; a single one stays."""
    orders: dict[int, np.ndarray] = {}

    def edit(pixels: np.ndarray) -> np.ndarray:
        channels = pixels.shape[2]
        if channels not in orders:
            orders[channels] = rng.permutation(channels)
        if 1 < channels <= 4:
            return np.asarray(cv2.transform(pixels, np.eye(channels, dtype=np.float32)[orders[channels]]))
        return np.ascontiguousarray(pixels[..., orders[channels]])

    return change_flat(sample, edit)


def drop_channel(sample: Sample, rng: np.random.Generator, *, chance: float = 0.3) -> Sample:
    """One channel at random is black; a single one stays."""
    if rng.random() >= chance:
        return sample
    place = rng.random()

    def edit(pixels: np.ndarray) -> np.ndarray:
        channels = pixels.shape[-1]
        if channels == 1:
            return pixels
        made = pixels.copy()
        made[..., int(place * channels)] = span(pixels)[0]
        return made

    return change(sample, edit)
