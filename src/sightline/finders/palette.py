"""Which colours a picture has, in the words that all people use."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.asked import within
from sightline.finders._light import colours

NAMES = ("black", "gray", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink")
_BORDERS = (15, 45, 70, 165, 260, 300, 345)  # degrees of the circle of hues, where one name ends
_HUES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "red")


def palette(image: np.ndarray, *, dark: float = 0.2, pale: float = 0.15) -> Labels:
    """The share of each of eleven colours (Berlin and Kay 1969), so that the best name is the dominant one.

    Below `dark` of the range it is black; of what is less coloured than `pale`, light is white and the rest gray. Dark
    orange is brown, pale red is pink. Pictures without three channels are black, gray and white.
    """
    within("palette", 0, 1, dark=dark, pale=pale)
    values = colours(image, "palette")
    if values.shape[2] != 3:
        values = np.repeat(values.mean(2, keepdims=True), 3, 2)
    light, low = np.clip(values.max(2), 0, 1), np.clip(values.min(2), 0, 1)
    spread = light - low
    full = spread / np.maximum(light, 1e-6)
    found = np.searchsorted(_BORDERS, _hue(values, light, spread), side="right")
    names = np.array([NAMES.index(name) for name in _HUES])[found]
    for name, where in (
        ("brown", (names == NAMES.index("orange")) & (light < 0.6)),
        ("pink", (names == NAMES.index("red")) & (light > 0.7) & (full < 0.5)),
        ("gray", full < pale),
        ("white", (full < pale) & (light > 0.8)),
        ("black", light < dark),
    ):
        names[where] = NAMES.index(name)
    shares = np.bincount(names.ravel(), minlength=len(NAMES)) / names.size
    return Labels(NAMES, shares.astype(np.float32))


def _hue(values: np.ndarray, light: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Degrees of the circle of hues: red 0, green 120, blue 240."""
    red, green, blue = np.moveaxis(values, 2, 0)
    safe = np.maximum(spread, 1e-6)
    sixths = np.where(
        light == red, (green - blue) / safe, np.where(light == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    return np.asarray(sixths * 60 % 360)
