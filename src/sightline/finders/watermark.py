"""Marks that no eye sees, found by their key."""

from __future__ import annotations

import math

import numpy as np

from sightline.core.annotations import Value
from sightline.core.errors import SettingsError
from sightline.core.marking import FOUND, found
from sightline.finders._light import colours, luma


def watermark(image: np.ndarray, *, key: str = "sightline") -> Value:
    """Whether a picture carries the mark that the filter `invisible_watermark` leaves with this `key`.

    `marked` is 1 or 0, `score` is in standard deviations of pictures without a mark (5 and more are taken as marked),
    `chance` is that of so high a score without one.
    """
    if not isinstance(key, str) or not key:
        raise SettingsError(f"watermark: key = {key!r}: must be a text that is not empty.")
    score = found(luma(colours(image, "watermark")), key)
    chance = 0.5 * math.erfc(score / math.sqrt(2))
    return Value(("marked", "score", "chance"), np.array([float(score >= FOUND), score, chance]))
