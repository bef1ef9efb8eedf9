"""How good a picture is, told without another one to compare with."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Value
from sightline.core.depth import checked, from_unit
from sightline.core.errors import SettingsError, nearest
from sightline.core.measures import NAMES, measure
from sightline.finders._light import colours

MEASURES = tuple(name for name in NAMES if name not in ("rows", "columns", "channels", "bits"))


def quality(image: np.ndarray, *, of: str = "") -> Value:
    """Light, detail, blur, noise, blockiness and colour of a picture, each a number by name; `of`: only that one.

    Measured as in an audit, in gray levels of 8 bits whatever the depth: on the picture reduced to 640 pixels, but for
    blockiness. What cannot be told, as of a picture that is too small, is NaN.
    """
    pixels = checked(image, what="quality")
    if of and of not in MEASURES:
        raise SettingsError(
            f"quality: of = {of!r}: no measure is called so.{nearest(of, MEASURES)} Known: {', '.join(MEASURES)}."
        )
    eight = pixels if pixels.dtype == np.uint8 else from_unit(colours(pixels, "quality"), np.empty(0, np.uint8))
    found = measure(eight)
    names = (of,) if of else MEASURES
    return Value(names, np.array([found[name] for name in names]))
