"""How good a picture is, told without another one to compare with."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Value
from sightline.core.depth import checked
from sightline.core.errors import SettingsError, nearest
from sightline.core.measures import NAMES, measure


def quality(image: np.ndarray, *, of: str = "") -> Value:
    """Light, detail, blur, noise, blockiness and colour of a picture, each a number by name; `of`: only that one.

    Measured as in an audit: on the picture reduced to 640 pixels, but for blockiness. What cannot be told is NaN.
    """
    pixels = checked(image, what="quality")
    if of and of not in NAMES:
        raise SettingsError(
            f"quality: of = {of!r}: no measure is called so.{nearest(of, NAMES)} Known: {', '.join(NAMES)}."
        )
    found = measure(pixels)
    names = (of,) if of else tuple(NAMES)
    return Value(names, np.array([found[name] for name in names]))
