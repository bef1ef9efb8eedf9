"""Scratches, dust and holes: found by how thin and how unlike their surroundings they are, and filled from around."""

from __future__ import annotations

import numpy as np

from sightline.core.depth import from_unit
from sightline.enhancing.weights import unit_like

LONGEST = 12.0  # times as long as wide: what is thinner is a scratch
_LEAST = 18  # pixels of a scratch
_WIDE = 9  # pixels: what is wider is no scratch
_FAR = 0.14  # of the range: how unlike its surroundings it must be
_NOISY = 6.0  # deviations of the noise


def scratched(pixels: np.ndarray) -> np.ndarray:
    """Where thin lines and small specks lie that are much lighter or darker than what is around them."""
    import cv2

    gray = (unit_like(pixels, pixels).mean(2) * 255).clip(0, 255).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WIDE, _WIDE))
    found = np.zeros(gray.shape, bool)
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        apart = cv2.morphologyEx(gray, kind, disc)
        usual = float(np.median(apart)) + 1.0
        cover = (apart > max(255 * _FAR, _NOISY * usual)).astype(np.uint8)
        found |= _thin(cover)
    return np.asarray(cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def filled(pixels: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """What is missing, from what is near: averages of known pixels, from narrow to wide until nothing is left."""
    import cv2

    if not missing.any() or missing.all():
        return pixels
    made = unit_like(pixels, pixels)
    known = (~missing).astype(np.float32)
    left = missing.copy()
    sum_, reach = made * known[..., None], 1.0
    while left.any():
        weight = cv2.GaussianBlur(known, (0, 0), reach).reshape(known.shape)
        soft = np.stack(
            [cv2.GaussianBlur(np.ascontiguousarray(sum_[..., c]), (0, 0), reach) for c in range(made.shape[2])], -1
        )
        ready = left & (weight > 0.02)
        made[ready] = soft[ready] / weight[ready][:, None]
        left &= ~ready
        reach *= 1.6
    done = from_unit(made, np.zeros(0, pixels.dtype))
    done[~missing] = pixels[~missing]
    return done


def _thin(cover: np.ndarray) -> np.ndarray:
    """The parts that are long and thin."""
    import cv2

    count, places, stats, _ = cv2.connectedComponentsWithStats(cover, connectivity=8)
    kept = np.zeros(count, bool)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]).astype(np.float32)
    area = stats[:, cv2.CC_STAT_AREA]
    wide = area / np.maximum(long, 1)
    kept[:] = (long >= _LEAST) & (wide <= _WIDE / 2) & (long >= LONGEST / 2 * wide)
    kept[0] = False
    return np.asarray(kept[places])
