"""Scratches, dust and holes: found by how thin and how unlike their surroundings they are, and filled from around."""

from __future__ import annotations

import numpy as np

from sightline.core.depth import from_unit
from sightline.enhancing.weights import unit_like

TURNS = 12  # directions in which a scratch may lie
SPECK = 0.35  # of the range: how unlike its surroundings a speck of dust must be
_LEAST = 19  # pixels of a scratch that lie in a line
_WIDE = 3.2  # pixels of a scratch; of a large picture a part of its longer side
_PART = 1 / 500
_FAR = 0.13  # of the range: how unlike its surroundings a scratch must be
_NOISY = 6.0  # times what is usual in the picture


def scratched(pixels: np.ndarray) -> np.ndarray:
    """Where long thin lines and small specks lie that are much lighter or darker than what is around them."""
    import cv2

    gray = (unit_like(pixels, pixels).mean(2) * 255).clip(0, 255).astype(np.uint8)
    wide = max(_WIDE, _PART * max(gray.shape))
    side = 2 * round(wide) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    found = np.zeros(gray.shape, bool)
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        apart = cv2.morphologyEx(gray, kind, disc)
        usual = float(np.median(apart)) + 1.0
        found |= _long(np.asarray(apart > max(255 * _FAR, _NOISY * usual)))
        if kind == cv2.MORPH_TOPHAT:
            found |= _small(np.asarray(apart > max(255 * SPECK, 2 * _NOISY * usual)), wide)
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


def _long(cover: np.ndarray) -> np.ndarray:
    """What of a cover lies along a straight piece of line, in whatever direction."""
    import cv2

    wider = cv2.dilate(cover.astype(np.uint8), np.ones((2, 2), np.uint8))
    kept = np.zeros_like(wider)
    half = _LEAST // 2
    for turn in range(TURNS):
        angle = np.pi * turn / TURNS
        x, y = round(half * np.cos(angle)), round(half * np.sin(angle))
        line = np.zeros((_LEAST, _LEAST), np.uint8)
        cv2.line(line, (half - x, half - y), (half + x, half + y), 1)
        kept |= cv2.morphologyEx(wider, cv2.MORPH_OPEN, line)
    return np.asarray((kept > 0) & cover)


def _small(cover: np.ndarray, wide: float) -> np.ndarray:
    """What of a cover is small and round."""
    import cv2

    _, places, stats, _ = cv2.connectedComponentsWithStats(cover.astype(np.uint8), connectivity=8)
    sides, tops = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    least, area = np.minimum(sides, tops), stats[:, cv2.CC_STAT_AREA]
    kept = (np.maximum(sides, tops) <= 2 * wide) & (least >= 2) & (area >= 4)
    kept[0] = False
    return np.asarray(kept[places])
