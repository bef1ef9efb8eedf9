"""What may be asked of a filter, several settings at once, and the pictures that some are given besides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.errors import InputError, SettingsError
from sightline.filters._settings import number, word


def within(what: str, low: float, high: float, /, **settings: Any) -> None:
    """Numbers from `low` to `high`, both included."""
    for name, value in settings.items():
        number(what, name, value, low, high)


def whole(what: str, low: int, high: int, /, **settings: Any) -> None:
    """Whole numbers from `low` to `high`."""
    for name, value in settings.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not low <= value <= high:
            raise SettingsError(f"{what}: {name} = {value!r}: must be a whole number from {low} to {high}.")


def one_of(what: str, choices: Sequence[str], /, **settings: Any) -> None:
    """One of some words."""
    for name, value in settings.items():
        word(what, name, value, choices)


def numbers(what: str, low: float, high: float, /, *, most: int = 16, **settings: Any) -> None:
    """A few numbers from `low` to `high`."""
    for name, values in settings.items():
        if not isinstance(values, list | tuple) or not 1 <= len(values) <= most:
            raise SettingsError(f"{what}: {name} = {values!r}: must be 1 to {most} numbers in brackets.")
        for value in values:
            within(what, low, high, **{name: value})


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
