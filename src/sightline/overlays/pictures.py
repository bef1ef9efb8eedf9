"""Pixels as an answer: shown beside what was asked about."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Picture
from sightline.overlays._paint import PAPER, display, line_width, span


def picture(image: np.ndarray, annotation: Picture) -> np.ndarray:
    """Left the picture, right the answer; one of two sizes is enlarged to the height of the other, pixels left whole.

    The same depth is shown on the same range, so that a difference in brightness is one of the pixels.
    """
    import cv2

    shown = span(image, annotation.pixels) if image.dtype == annotation.pixels.dtype else None
    pair = [display(image, shown), display(annotation.pixels, shown)]
    high = max(len(side) for side in pair)
    for number, side in enumerate(pair):
        if len(side) < high:
            size = (max(1, round(side.shape[1] * high / len(side))), high)
            pair[number] = cv2.resize(side, size, interpolation=cv2.INTER_NEAREST)
    gap = np.full((high, 2 * line_width(pair[0]), 3), PAPER, np.uint8)
    return np.concatenate([pair[0], gap, pair[1]], 1)
