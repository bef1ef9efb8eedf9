"""Filters that fill what is missing or unwanted, told by a `mask`: an array or a file, where not 0.

Exactly the pixels of the mask are invented, and no other pixel changes. Without a mask the pixels that are not numbers
are filled (of floats; other depths have none).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.asked import wholes, within
from sightline.core.depth import from_unit, span, unit
from sightline.core.errors import InputError
from sightline.filters._given import mask_of
from sightline.filters._patches import patched
from sightline.filters._pixels import on_any_pixels
from sightline.filters._planes import each

_FINE = 1 << 20


@on_any_pixels
def telea(image: np.ndarray, *, mask: Any = None, radius: float = 3.0) -> np.ndarray:
    """Holes filled from their edge inwards by what lies within `radius` pixels (Telea 2004): quick, for scratches."""
    within("telea", 0.5, 100, radius=radius)
    return _painted("telea", image, mask, radius)


@on_any_pixels
def navier_stokes(image: np.ndarray, *, mask: Any = None, radius: float = 3.0) -> np.ndarray:
    """Holes filled as a fluid would flow into them, along lines of equal gray (Bertalmio et al. 2001)."""
    within("navier_stokes", 0.5, 100, radius=radius)
    return _painted("navier_stokes", image, mask, radius)


def _painted(what: str, image: np.ndarray, mask: Any, radius: float) -> np.ndarray:
    """Pixels of 8 bits, one channel or three, go together; deeper ones channel by channel, in full depth."""
    import cv2

    way = cv2.INPAINT_TELEA if what == "telea" else cv2.INPAINT_NS
    holes = _holes(what, image, mask)
    if not holes.any():
        return image.copy()
    marks = holes.astype(np.uint8)
    given = np.where(holes[..., None], image.dtype.type(0), image)

    def filled(plane: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.inpaint(plane, marks, radius, way))

    if image.dtype == np.uint8 and image.shape[2] in (1, 3):
        made = filled(given).reshape(image.shape)
    elif image.dtype == np.float32:  # the library rounds by adding a half, which is much where white is 1
        fine = np.float32(_FINE)
        made = from_unit(each(unit(given) * fine, filled) / fine, given)
    else:
        made = each(given, filled)
    made = np.clip(made, *_range(image, holes)).astype(image.dtype, copy=False)
    return np.where(holes[..., None], made, image)


def _range(image: np.ndarray, holes: np.ndarray) -> tuple[float, float]:
    """What is seen bounds what is invented."""
    known = image[~holes]
    return float(known.min()), float(known.max())


@on_any_pixels
def patch_fill(image: np.ndarray, *, mask: Any = None, patch: int = 7, rounds: int = 4, seed: int = 0) -> np.ndarray:
    """Holes filled with pieces of the same picture that fit their surroundings and each other: for texture and things.

    From coarse to fine, every hole is made of the likeliest patches (Wexler et al. 2007), which are found by spreading
    good matches and trying others by chance (PatchMatch, Barnes et al. 2009). The same seed gives the same pixels.
    """
    wholes("patch_fill", 3, 21, patch=patch)
    wholes("patch_fill", 1, 50, rounds=rounds)
    wholes("patch_fill", 0, 2**31, seed=seed)
    holes = _holes("patch_fill", image, mask)
    if not holes.any():
        return image.copy()
    seen = np.where(holes[..., None], image.dtype.type(0), image)
    made = from_unit(patched(unit(seen), holes, patch | 1, rounds, seed), seen)
    made = np.clip(made, *span(seen)).astype(image.dtype, copy=False)
    return np.where(holes[..., None], made, image)


def _holes(what: str, image: np.ndarray, mask: Any) -> np.ndarray:
    """Where to fill, and that there is something to fill from."""
    holes = np.asarray(~np.isfinite(image).all(2)) if mask is None else mask_of(what, mask, image.shape)
    if holes.all():
        raise InputError("mismatch", f"{what}: the mask covers the whole picture; leave something to fill it from.")
    return holes
