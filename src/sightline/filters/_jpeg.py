"""What JPEG did to a picture: the steps of its waves, told from the pixels, and the squares made smooth again."""

from __future__ import annotations

import numpy as np

from sightline.filters._blocks import SIDE, overlapping, squares

# ITU-T T.81, Annex K: the steps of quality 50 that every coder begins with
LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
COLOUR = np.full((8, 8), 99, np.float32)
COLOUR[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
BAR = 0.36  # of a step: what is weaker may come of the rounding


def steps_of(quality: int, table: np.ndarray) -> np.ndarray:
    """The steps of a quality from 1 to 100, by the rule of the Independent JPEG Group."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((table * scale + 50) / 100), 1, 255).astype(np.float32)


def quality_of(plane: np.ndarray) -> int:
    """The quality at which luma of 0 to 255 was last saved on its own grid, 0 where no trace is found.

    Waves that went through a coder lie on whole multiples of its step: the coarsest steps on which they all lie.
    """
    rows, columns = (length // SIDE * SIDE for length in plane.shape)
    if rows * columns < 16 * SIDE * SIDE:
        return 0
    found = squares(np.ascontiguousarray(plane[:rows, :columns]) - 128)[:, 1:21].astype(np.float32)
    best, place = 0.0, 0
    for quality in range(1, 96):
        if place and quality > place + 8:
            break  # further on are the halves and thirds of these steps
        share = _on_steps(found, steps_of(quality, LUMA).reshape(-1)[1:21])
        if share > max(best, 0.85):
            best, place = share, quality
    return place


def _on_steps(found: np.ndarray, steps: np.ndarray) -> float:
    """Which share of the waves that are not nothing lies near a whole multiple of its step; 0.4 by chance."""
    whole = found / steps
    strong = np.abs(whole) > 0.5
    if strong.sum() < 40 or steps.max() < 3:
        return 0.0
    return float(np.mean((np.abs(whole - np.rint(whole)) < 0.2)[strong]))


def mended(values: np.ndarray, quality: int, step: int, strength: float) -> np.ndarray:
    """Rows, columns, channels of 0 to 1 without the edges of the squares."""
    import cv2

    colour = values.shape[2] == 3
    planes = cv2.cvtColor(values, cv2.COLOR_RGB2YCrCb) if colour else values
    quality = quality or quality_of(255 * planes[..., 0])
    if not quality or not strength:
        return values
    made = []
    for channel in range(values.shape[2]):
        plane = np.ascontiguousarray(planes[..., channel])
        bars = BAR * strength / 255 * steps_of(quality, COLOUR if colour and channel else LUMA)
        bars[0, 0] = 0
        made.append(overlapping(plane, bars, step))
    whole = np.stack(made, 2)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_YCrCb2RGB)) if colour else whole
