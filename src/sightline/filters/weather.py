"""Filters for pictures that show too little: in haze, or in the dark."""

from __future__ import annotations

import numpy as np

from sightline.core.asked import wholes, within
from sightline.core.depth import from_unit, unit
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import gray_of, guided_by


@on_pixels
def dehaze(image: np.ndarray, *, strength: float = 0.9, radius: int = 0, least: float = 0.1) -> np.ndarray:
    """Haze taken away by the dark channel (He et al. 2009): clear air has something dark in every small window.

    `radius` of the window in pixels, 0: a sixtieth of the longer side; at `least` so much light comes through.
    """
    import cv2

    within("dehaze", 0, 1, strength=strength)
    wholes("dehaze", 0, 200, radius=radius)
    within("dehaze", 0.01, 1, least=least)
    values = unit(image)
    reach = radius or max(1, max(image.shape[:2]) // 60)
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)

    def darkest(light: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.erode(np.ascontiguousarray(light.min(2)), window, borderType=cv2.BORDER_REPLICATE))

    dark = darkest(values)
    count = max(1, dark.size // 1000)
    haziest = np.argpartition(dark.ravel(), -count)[-count:]  # the thousandth with the thickest haze
    air = np.maximum(values.reshape(-1, values.shape[2])[haziest].mean(0), np.float32(0.05))
    through = 1 - np.float32(strength) * darkest(values / air)
    through = guided_by(gray_of(values), through, 4 * reach, 1e-3)
    return from_unit((values - air) / np.clip(through, least, 1)[..., None] + air, image)


@on_pixels
def low_light(image: np.ndarray, *, strength: float = 0.0, target: float = 0.4) -> np.ndarray:
    """A dark picture as if there had been more light (Guo et al. 2017, LIME): divided by its soft light to a power.

    `strength` is that power, from 0 to 1; 0: as much as brings the mean gray to `target`, and nothing for pictures
    that are light enough.
    """
    within("low_light", 0, 1, strength=strength)
    within("low_light", 0.05, 0.9, target=target)
    values = unit(image)
    brightest = np.ascontiguousarray(values.max(2))
    light = guided_by(gray_of(values), brightest, max(1, max(image.shape[:2]) // 40), 1e-3)
    light = np.maximum(np.clip(light, 0, 1), np.float32(0.02))
    power = strength or _power(values, light, target)
    if power <= 0:
        return image.copy()
    values /= light[..., None] ** np.float32(power)
    return from_unit(values, image)


def _power(values: np.ndarray, light: np.ndarray, target: float) -> float:
    """How far to go: halved ten times between nothing and all."""
    step = max(1, max(light.shape) // 256)
    seen, lit = gray_of(values[::step, ::step]), light[::step, ::step]
    low, high = 0.0, 1.0
    for _ in range(10):
        middle = (low + high) / 2
        if float(np.minimum(seen / lit ** np.float32(middle), 1).mean()) < target:
            low = middle
        else:
            high = middle
    return low
