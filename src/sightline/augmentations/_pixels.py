"""Changing values without moving them, the same for every depth: lines, curves, colours, veils, noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from sightline.core.carried import with_pixels
from sightline.core.depth import from_unit, span, unit
from sightline.core.errors import InputError
from sightline.core.sample import Sample
from sightline.core.views import View

Colour = tuple[float, float, float]
Edit = Callable[[np.ndarray], np.ndarray]


def change(sample: Sample, edit: Edit) -> Sample:
    """Every picture of the sample edited; what is true of it stays."""
    return with_pixels(sample, [edit(image.read()) for image in sample.images], sample.truth)


def touch(sample: Sample, edit: Edit) -> Sample:
    """The same with an edit that each pixel takes without its neighbours: where a picture waits, so does the edit."""
    views = [image.changed(edit) for image in sample.images if isinstance(image, View)]
    if len(views) != len(sample.images):
        return change(sample, edit)
    return Sample(sample.id, tuple(views), sample.truth, sample.given, sample.group, sample.split, sample.attributes)


def change_flat(sample: Sample, edit: Edit) -> Sample:
    """The same with an edit that takes rows, columns, channels: volumes are edited slice by slice."""

    def whole(pixels: np.ndarray) -> np.ndarray:
        return np.stack([edit(part) for part in pixels]) if pixels.ndim == 4 else edit(pixels)

    return change(sample, whole)


def linear(pixels: np.ndarray, gain: float, shift: float) -> np.ndarray:
    """Values times `gain` around the middle of the range, plus `shift` of the range; clipped."""
    low, top = span(pixels)
    middle = (low + top) / 2
    offset = middle - middle * gain + shift * (top - low)
    if pixels.dtype.kind == "u":
        if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (3, 4):
            matrix = np.zeros((pixels.shape[2], pixels.shape[2] + 1), np.float32)
            matrix.flat[:: pixels.shape[2] + 2] = gain
            matrix[:, -1] = offset
            return np.asarray(cv2.transform(pixels, matrix))
        plane = pixels.reshape(len(pixels), -1)
        return np.asarray(cv2.addWeighted(plane, gain, plane, 0, offset).reshape(pixels.shape))
    changed = pixels * np.float32(gain)
    changed += np.float32(offset)
    return np.clip(changed, np.float32(low), np.float32(top), out=changed)


def coloured(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(3, 4) applied to red, green, blue and one; the last column is a part of the range."""
    if pixels.ndim == 4:
        return np.stack([coloured(part, matrix) for part in pixels])
    low, top = span(pixels)
    scaled = matrix.astype(np.float32)
    scaled[:, 3] *= top - low
    if low:
        scaled[:, 3] += low - scaled[:, :3].sum(1) * low
    changed = cv2.transform(pixels, scaled)
    return np.asarray(
        changed if pixels.dtype.kind == "u" else np.clip(changed, np.float32(low), np.float32(top), out=changed)
    )


def need_colour(sample: Sample, what: str) -> bool:
    """Whether there is colour to change: gray pictures have none; other channels are no colours."""
    found = {image.read().shape[-1] for image in sample.images}
    if found - {1, 3}:
        raise InputError(
            "mismatch", f"{sample.id}: {what} needs red, green and blue, but there are {max(found)} channels."
        )
    return found == {3}


def in_colour(pixels: np.ndarray, name: str, what: str) -> bool:
    """The same of pixels whose time has come."""
    if pixels.shape[-1] in (1, 3):
        return bool(pixels.shape[-1] == 3)
    raise InputError(
        "mismatch", f"{name}: {what} needs red, green and blue, but there are {pixels.shape[-1]} channels."
    )


def toned(pixels: np.ndarray, curve: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A curve from 0..1 to 0..1 applied to every value: through a table where the depth has few."""
    if pixels.dtype.kind == "u":
        top = int(np.iinfo(pixels.dtype).max)
        table = curve(np.arange(top + 1, dtype=np.float32) / np.float32(top))
        entries = np.rint(np.clip(table, 0, 1) * top).astype(pixels.dtype)
        if pixels.dtype == np.uint8:
            return np.asarray(cv2.LUT(pixels.reshape(len(pixels), -1), entries).reshape(pixels.shape))
        return np.asarray(entries.take(pixels))
    return from_unit(curve(unit(pixels)), pixels)


def veiled(
    pixels: np.ndarray, gain: float | np.ndarray, add: np.ndarray | None = None, colour: Colour | None = None
) -> np.ndarray:
    """Values times `gain` plus `add`, both numbers or (rows, columns) in 0..1 of the range; of a colour, if given."""
    colour = colour if pixels.shape[2] == 3 else None
    if pixels.dtype == np.uint8 and pixels.shape[2] <= 4:
        layer = None if add is None else _bytes(add, pixels.shape, colour)
        if isinstance(gain, float):
            other = np.zeros_like(pixels) if layer is None else layer
            return np.asarray(cv2.addWeighted(pixels, gain, other, 1.0, 0).reshape(pixels.shape))
        made = cv2.multiply(pixels, _bytes(gain, pixels.shape, None), scale=1 / 255).reshape(pixels.shape)
        return made if layer is None else np.asarray(cv2.add(made, layer).reshape(pixels.shape))
    values = unit(pixels)
    values *= gain[..., None] if isinstance(gain, np.ndarray) else gain
    if add is not None:
        values += add[..., None] * np.array(colour or 1.0, np.float32)
    return from_unit(values, pixels)


def _bytes(layer: np.ndarray, shape: tuple[int, ...], colour: Colour | None) -> np.ndarray:
    """A layer of 0..1 as bytes in every channel."""
    layer = np.maximum(layer, 0)
    if colour is not None:
        return np.asarray(cv2.merge([cv2.convertScaleAbs(layer, alpha=255 * part) for part in colour]))
    bytes_ = cv2.convertScaleAbs(layer, alpha=255)
    return np.asarray(cv2.merge([bytes_] * shape[2]) if shape[2] > 1 else bytes_).reshape(shape)


@lru_cache(maxsize=1)
def _quantiles() -> np.ndarray:
    """The normal distribution at 65,536 equal steps: one draw of 16 bits is one normal number, to 4.2 deviations."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(65536) + 0.5) / 65536), np.float32)


def words(rng: np.random.Generator, count: int) -> np.ndarray:
    """So many random 16-bit numbers, four from each draw."""
    drawn = rng.integers(0, 2**64 - 1, (count + 3) // 4, np.uint64, endpoint=True)
    return drawn.view(np.uint16)[:count]


def normal(rng: np.random.Generator, shape: tuple[int, ...], strength: float = 1.0) -> np.ndarray:
    """Normal float32 numbers of a deviation."""
    count = int(np.prod(shape))
    return np.asarray((_quantiles() * np.float32(strength)).take(words(rng, count))).reshape(shape)


def noisy(pixels: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Normal noise of a deviation that is a part of the range, added once and rounded once."""
    low, top = span(pixels)
    if strength <= 0:
        return pixels
    if pixels.dtype.kind == "u":
        kind, depth = (np.int16, cv2.CV_8U) if pixels.dtype == np.uint8 else (np.int32, cv2.CV_16U)
        table = np.rint(_quantiles() * np.float32(strength * top)).astype(kind)
        drawn = table.take(words(rng, pixels.size)).reshape(len(pixels), -1)
        return np.asarray(cv2.add(pixels.reshape(len(pixels), -1), drawn, dtype=depth).reshape(pixels.shape))
    return np.asarray(np.clip(pixels + normal(rng, pixels.shape, strength * (top - low)), low, top), np.float32)


def filtered(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Rows, columns, channels through a kernel, rounded and clipped to the depth; edges reflected."""
    return np.asarray(cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REFLECT_101).reshape(pixels.shape))


def smoothed(pixels: np.ndarray, deviation: float) -> np.ndarray:
    """Through a Gaussian, at most four channels at a time."""
    if pixels.shape[-1] > 4:
        parts = [pixels[..., first : first + 4] for first in range(0, pixels.shape[-1], 4)]
        return np.concatenate([smoothed(np.ascontiguousarray(part), deviation) for part in parts], -1)
    if pixels.dtype != np.uint8:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), deviation).reshape(pixels.shape))
    line = cv2.getGaussianKernel(2 * max(1, math.ceil(3 * deviation)) + 1, deviation, cv2.CV_32F)  # faster than exact
    return np.asarray(cv2.sepFilter2D(pixels, -1, line, line).reshape(pixels.shape))
