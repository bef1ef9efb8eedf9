"""What all filters promise, held in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import cv2
import numpy as np

from sightline.core.depth import checked, span
from sightline.core.errors import InputError, SettingsError, nearest

Settings = ParamSpec("Settings")
Edit = Callable[Concatenate[np.ndarray, Settings], np.ndarray]
MOST_CHANNELS = 4  # as many as every function of OpenCV takes
_WELL = (1, 3, 4)  # as many as it moves exactly; two are moved by an older and coarser way


def on_pixels(edit: Edit[Settings]) -> Edit[Settings]:
    """A filter that may rely on rows, columns and channels of finite numbers that lie in a row in memory.

    Its answer has as many axes as what was given and shares no memory with it; a setting that it does not know is
    refused with the nearest that it does.
    """
    return _filter(edit, finite=True)


def on_any_pixels(edit: Edit[Settings]) -> Edit[Settings]:
    """The same where a value that is no number spoils at most its neighbours: it is let through, and stays one."""
    return _filter(edit, finite=False)


def _filter(edit: Edit[Settings], *, finite: bool) -> Edit[Settings]:
    known = frozenset(edit.__kwdefaults__ or ())

    @wraps(edit)
    def filtered(image: np.ndarray, /, *args: Settings.args, **kwargs: Settings.kwargs) -> np.ndarray:
        if not known.issuperset(kwargs):
            _refuse(edit.__name__, kwargs, known)
        pixels = checked(image, what=edit.__name__)
        if not (pixels.flags.c_contiguous and pixels.dtype.isnative):
            pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
        if finite and pixels.dtype.kind == "f":
            _need_numbers(pixels, edit.__name__)
        made = edit(pixels, *args, **kwargs)
        if made is pixels or np.may_share_memory(made, image):
            made = made.copy()
        if np.ndim(image) == 2 and made.ndim == 3 and made.shape[2] == 1:
            return made[..., 0]
        return made[..., None] if made.ndim == 2 and np.ndim(image) == 3 else made

    return filtered


def _need_numbers(pixels: np.ndarray, what: str) -> None:
    """Refuse values that are no finite numbers, where one of them would spoil what is reckoned from all."""
    if span(pixels) != (0.0, 1.0) or np.isnan(pixels).any():
        bad = pixels.size - int(np.isfinite(pixels).sum())
        if bad:
            raise InputError("mismatch", f"{what} takes finite numbers, and {bad:,} values of the picture are none.")


def _refuse(what: str, given: dict[str, Any], known: frozenset[str]) -> None:
    name = next(name for name in given if name not in known)
    raise SettingsError(
        f"{what}: no setting is called '{name}'.{nearest(name, known)} Known: {', '.join(sorted(known)) or 'none'}."
    )


def need_colour(pixels: np.ndarray, what: str) -> None:
    """Refuse a picture that has no red, green and blue."""
    if pixels.shape[2] != 3:
        raise InputError("mismatch", f"{what} takes three channels (red, green, blue), not {pixels.shape[2]}.")


def in_colour(pixels: np.ndarray, what: str) -> bool:
    """Whether there is colour to change: gray pictures have none; other channels are no colours."""
    if pixels.shape[2] not in (1, 3):
        raise InputError("mismatch", f"{what} takes one channel (gray) or three (colour), not {pixels.shape[2]}.")
    return bool(pixels.shape[2] == 3)


def by_four(pixels: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A change of OpenCV's for any number of channels."""
    count = pixels.shape[2]
    if count in _WELL:
        made = change(pixels)
        return made if made.ndim == 3 else made[..., None]
    whole = count - count % MOST_CHANNELS
    step = dict.fromkeys(range(0, whole, MOST_CHANNELS), MOST_CHANNELS)
    step.update({whole: 3} if count - whole == 3 else dict.fromkeys(range(whole, count), 1))
    parts = (change(np.ascontiguousarray(pixels[..., first : first + n])) for first, n in step.items())
    return np.concatenate([part if part.ndim == 3 else part[..., None] for part in parts], 2)


def light(pixels: np.ndarray) -> np.ndarray:
    """Rows and columns of the depth of the picture: how light it is (BT.601), or the mean of other channels."""
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    mean = pixels.mean(2, dtype=np.float32)
    return np.asarray(np.rint(mean) if pixels.dtype.kind == "u" else mean).astype(pixels.dtype)


def on_light(pixels: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A change of one channel made to how light a colour picture is, and to each channel of any other."""
    if pixels.shape[2] == 1:
        return change(pixels[..., 0])[..., None]
    if pixels.shape[2] != 3:
        return np.stack([change(np.ascontiguousarray(pixels[..., one])) for one in range(pixels.shape[2])], 2)
    parted = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    cv2.insertChannel(change(cv2.extractChannel(parted, 0)), parted, 0)
    return kept_within(cv2.cvtColor(parted, cv2.COLOR_YCrCb2RGB, dst=parted), pixels)


def ends(pixels: np.ndarray) -> tuple[float, float]:
    """Black and white, as `core.depth.span` says; values without an end are refused."""
    low, top = span(pixels)
    if top - low == np.inf:
        raise InputError("mismatch", "values of a picture are infinite, so that nothing is black or white in it.")
    return low, top


def ink(pixels: np.ndarray, part: float) -> tuple[float, ...]:
    """The value that lies at a part of the range, once a channel."""
    low, top = ends(pixels)
    value = low + part * (top - low)
    return (float(round(value)) if pixels.dtype.kind == "u" else value,) * MOST_CHANNELS


def kept_within(made: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Floats clipped in place to the range of a picture; whole numbers cannot leave theirs."""
    if made.dtype.kind == "u":
        return made
    low, top = ends(like)
    return np.clip(made, np.float32(low), np.float32(top), out=made)


def black_and_white(chosen: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Rows, columns and one channel: white where a mask (bool, or 0 and 255) says so, in the depth of a picture."""
    mask = chosen.view(np.uint8) if chosen.dtype == bool else chosen
    table = np.full(256, ends(like)[1], like.dtype)
    table[0] = ends(like)[0]
    made = mask if mask is chosen and like.dtype == np.uint8 else cv2.LUT(mask, table)
    return np.asarray(made)[..., None]


def chosen(pixels: np.ndarray, level: float) -> np.ndarray:
    """Rows and columns of uint8: 255 where a picture is lighter than a part of its range, and 0 elsewhere."""
    plane = light(pixels)
    low, top = ends(pixels)
    value = np.floor(low + level * (top - low)) if pixels.dtype.kind == "u" else low + level * (top - low)
    if plane.dtype == np.uint8:
        return np.asarray(cv2.threshold(plane, value, 255, cv2.THRESH_BINARY)[1]).reshape(plane.shape)
    return np.asarray((plane > plane.dtype.type(value)).view(np.uint8) * np.uint8(255))
