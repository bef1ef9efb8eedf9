"""Values changed without moving them, the same for every depth: tables, lines, mixes of channels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from sightline.core.depth import from_unit, unit
from sightline.filters._pixels import ends, kept_within

Curve = Callable[[np.ndarray], np.ndarray]
_BINS = 65536


def toned(pixels: np.ndarray, curve: Curve) -> np.ndarray:
    """A curve from 0..1 to 0..1 applied to every value: through a table where the depth has few."""
    if pixels.dtype.kind == "u":
        return looked_up(pixels, table_of(curve, pixels.dtype))
    ends(pixels)
    return from_unit(curve(unit(pixels)), pixels)


def table_of(curve: Curve, depth: np.dtype) -> np.ndarray:
    """What a curve makes of each value of a depth of whole numbers."""
    top = int(np.iinfo(depth).max)
    made = curve(np.arange(top + 1, dtype=np.float32) / np.float32(top))
    return np.asarray(np.rint(np.clip(made, 0, 1) * np.float32(top))).astype(depth)


def looked_up(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Each value replaced by what the table holds for it."""
    return np.asarray(cv2.LUT(pixels.reshape(len(pixels), -1), table)).reshape(pixels.shape)


def linear(pixels: np.ndarray, gain: float, shift: float) -> np.ndarray:
    """Values times `gain` plus `shift`, as parts of the range from black to white; clipped."""
    low, top = ends(pixels)
    offset = low - low * gain + shift * (top - low)
    plane = pixels.reshape(len(pixels), -1)
    if pixels.dtype == np.uint8 and pixels.shape[2] in (3, 4) and abs(gain) < 30:
        matrix = np.zeros((pixels.shape[2], pixels.shape[2] + 1), np.float32)
        matrix.flat[:: pixels.shape[2] + 2] = gain
        matrix[:, -1] = offset
        return np.asarray(cv2.transform(pixels, matrix))
    return kept_within(np.asarray(cv2.addWeighted(plane, gain, plane, 0, offset)).reshape(pixels.shape), pixels)


def mixed(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(n, channels + 1) applied to the channels and one; the last column is a part of the range; clipped."""
    low, top = ends(pixels)
    scaled = matrix.astype(np.float32)
    scaled[:, -1] *= top - low
    if low:
        scaled[:, -1] += low - scaled[:, :-1].sum(1) * low
    made = np.asarray(cv2.transform(pixels, scaled))
    return kept_within(made if made.ndim == 3 else made[..., None], pixels)


def counts(plane: np.ndarray) -> np.ndarray:
    """How often each value occurs: 256 bins of uint8, 65,536 of others; floats are parted evenly over their range."""
    if plane.dtype == np.uint8:
        return np.asarray(cv2.calcHist([plane], [0], None, [256], [0, 256])).ravel().astype(np.int64)
    return np.bincount(in_bins(plane).ravel(), minlength=_BINS)


def in_bins(plane: np.ndarray) -> np.ndarray:
    """Floats as the uint16 that they come nearest to; whole numbers as they are."""
    return plane if plane.dtype.kind == "u" else np.rint(unit(plane) * np.float32(_BINS - 1)).astype(np.uint16)


def quantiles(plane: np.ndarray, parts: tuple[float, ...]) -> list[float]:
    """The values, as parts of the range, below which these parts of all pixels lie."""
    reach = np.cumsum(counts(plane))
    bins = np.searchsorted(reach, np.array(parts) * reach[-1], side="left").clip(0, len(reach) - 1)
    return [float(one) / (len(reach) - 1) for one in bins]
