"""More light where a picture is dark: a gain that follows the light around each pixel, so that colours stay."""

from __future__ import annotations

import math

import numpy as np

from sightline.core.depth import from_unit
from sightline.enhancing.weights import unit_like

MIDDLE = 0.42  # what the mean light is brought to
DARKEST = 0.35  # the smallest power
_SMALL = 256  # pixels of the longer side of the map of light
_BAND = 256  # rows that are changed at a time


def brightened(pixels: np.ndarray) -> np.ndarray:
    """The picture with its shadows lifted; one that is bright already stays as it is."""
    import cv2

    rows, columns = pixels.shape[:2]
    scale = min(1.0, _SMALL / max(rows, columns))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    planes = [
        cv2.resize(np.ascontiguousarray(pixels[..., c]), size, interpolation=cv2.INTER_AREA) for c in _looked(pixels)
    ]
    light = np.max([unit_like(plane, pixels) for plane in planes], 0).clip(1e-3, 1)
    around = cv2.GaussianBlur(light, (0, 0), max(1.0, 0.03 * max(size))).reshape(light.shape)
    mean = float(around.mean())
    if mean >= MIDDLE:
        return pixels
    power = max(DARKEST, math.log(MIDDLE) / math.log(mean))
    gain = cv2.resize(np.asarray(around ** np.float32(power - 1), np.float32), (columns, rows)).reshape(rows, columns)
    made = np.empty_like(pixels)
    for top in range(0, rows, _BAND):
        part = slice(top, top + _BAND)
        values = unit_like(pixels[part], pixels) * gain[part][..., None]
        over = values > 0.8  # what would be clipped is rolled off instead
        values[over] = 0.8 + 0.2 * np.tanh((values[over] - 0.8) / 0.2)
        made[part] = from_unit(values, np.zeros(0, pixels.dtype))
    return made


def _looked(pixels: np.ndarray) -> range:
    return range(min(3, pixels.shape[2]))
