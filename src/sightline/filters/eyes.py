"""Filters that mend what a flash did to eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.asked import within
from sightline.core.depth import from_unit, unit
from sightline.core.errors import SettingsError
from sightline.filters._pixels import need_colour, on_pixels

_REDDER = 1.8  # a red pupil has so many times more red than green and blue have on average


@on_pixels
def red_eye(image: np.ndarray, *, boxes: Any = (), strength: float = 1.0) -> np.ndarray:
    """Pupils that shine red made dark again, inside `boxes` (x1, y1, x2, y2 in pixels) or wherever they are found.

    Found are round red spots, from 4 pixels to a twelfth of the picture across, in surroundings that are less red.
    Give boxes of eyes where other round red things are shown.
    """
    need_colour(image, "red_eye")
    within("red_eye", 0, 1, strength=strength)
    corners = _corners(boxes)
    values = unit(image)
    red = values[..., 0]
    others = np.maximum((values[..., 1] + values[..., 2]) / 2, np.float32(0.02))
    shining = (red > _REDDER * others) & (red > 0.25)
    spots = shining & _inside(corners, image.shape) if len(corners) else _round(shining, red / others)
    if not spots.any():
        return image.copy()
    import cv2

    reach = max(1, round(float(spots.sum()) ** 0.5 / 12))
    share = cv2.GaussianBlur(cv2.dilate(spots.astype(np.float32), np.ones((3, 3))), (0, 0), reach / 2 + 0.3)
    share = np.where(red > 1.2 * others, share, 0) * np.float32(strength)
    for channel in range(3):  # a pupil is dark and gray
        values[..., channel] += share * (np.minimum(others, red) * np.float32(0.9) - values[..., channel])
    return from_unit(values, image)


def _corners(boxes: Any) -> np.ndarray:
    """Rows of x1, y1, x2, y2; none where no boxes are given."""
    try:
        corners = np.asarray(boxes, np.float64).reshape(-1, 4)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"red_eye: boxes = {boxes!r}: must be x1, y1, x2, y2 of each eye in pixels.") from error
    if not np.isfinite(corners).all():
        raise SettingsError(f"red_eye: boxes = {boxes!r}: must be finite numbers of pixels.")
    return corners


def _inside(corners: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    marked = np.zeros(shape[:2], bool)
    for left, top, right, bottom in corners.clip(0, 1 << 30).astype(int):
        marked[top:bottom, left:right] = True
    return marked


def _round(shining: np.ndarray, redness: np.ndarray) -> np.ndarray:
    """The spots that are as round as a pupil, and stand out from what is around them."""
    import cv2

    count, numbers, stats, _ = cv2.connectedComponentsWithStats(shining.astype(np.uint8), connectivity=8)
    found = np.zeros(shining.shape, bool)
    largest = max(shining.shape) / 12
    for number in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats[number])
        across = max(wide, high)
        if not 4 <= across <= largest or min(wide, high) < 0.6 * across or not 0.55 < area / (wide * high) < 0.95:
            continue
        room = across
        around = np.s_[max(0, top - room) : top + high + room, max(0, left - room) : left + wide + room]
        spot = numbers[around] == number
        ring = redness[around][~spot]
        if ring.size and float(np.median(redness[around][spot])) > 1.35 * float(np.median(ring)):
            found[around] |= spot
    return found
