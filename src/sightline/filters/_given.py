"""The pictures and masks that some filters are given besides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.errors import InputError, SettingsError


def picture_of(what: str, name: str, given: Any) -> np.ndarray:
    """Pixels given as an array, or read from the file of that name; always with channels."""
    from sightline.core.image import read_image, tidy

    if isinstance(given, np.ndarray):
        return tidy(given)
    if isinstance(given, str | Path):
        return read_image(Path(given))
    raise SettingsError(f"{what}: {name} is an array or the path of a picture, not {type(given).__name__}.")


def mask_of(what: str, given: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Where a mask says yes: of an array or a file, every pixel that is not 0; as large as the picture."""
    marked = picture_of(what, "mask", given)
    if marked.ndim != 3 or marked.shape[:2] != shape[:2]:
        raise InputError(
            "mismatch", f"{what}: the mask is {marked.shape[:2]}, the picture {shape[:2]}; make them equal."
        )
    return np.asarray((marked != 0).any(2))
