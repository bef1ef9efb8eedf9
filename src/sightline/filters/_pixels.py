"""What all filters promise, held in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import numpy as np

from sightline.core.depth import checked
from sightline.core.errors import InputError

Settings = ParamSpec("Settings")
Edit = Callable[Concatenate[np.ndarray, Settings], np.ndarray]


def on_pixels(edit: Edit[Settings]) -> Edit[Settings]:
    """A filter that may rely on rows, columns and channels, and whose answer has as many axes as what was given."""

    @wraps(edit)
    def filtered(image: np.ndarray, /, *args: Settings.args, **kwargs: Settings.kwargs) -> np.ndarray:
        pixels = checked(image, what=edit.__name__)
        made = edit(pixels, *args, **kwargs)
        if np.ndim(image) == 2 and made.ndim == 3 and made.shape[2] == 1:
            return made[..., 0]
        return made[..., None] if made.ndim == 2 and np.ndim(image) == 3 else made

    return filtered


def need_colour(pixels: np.ndarray, what: str) -> None:
    """Refuse a picture that has no red, green and blue."""
    if pixels.shape[2] != 3:
        raise InputError("mismatch", f"{what} takes three channels (red, green, blue), not {pixels.shape[2]}.")
