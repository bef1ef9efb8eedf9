"""Masks that number objects: 0 is background, k is the k-th object; with many names, class times 1000 and k."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sightline.core.errors import InputError
from sightline.formats import _beside, _kinds, _masks, _names, _pascal1, _walk

EACH = 1000  # objects of a class, as Cityscapes counts them
_LOOKED = 16


def first_masks(places: list[_beside.Places], most: int = _LOOKED) -> list[Path]:
    """The first masks of each place."""
    masks: list[Path] = []
    for one in places:
        if one.together:
            masks += [pair.mask for pair in _beside.pairs(one.pictures, [one])[:most] if pair.mask is not None]
            continue
        for count, file in enumerate(_walk.pictures(one.masks)):
            if count >= most:
                break
            masks.append(file)
    return masks


def hinted(path: Path, places: list[_beside.Places]) -> bool:
    """Whether a name or a text file beside says that objects are numbered."""
    return any(_kinds.INSTANCES.search(one.masks.name) for one in places) or _pascal1.notes(path) is not None


def look_numbered(path: Path, masks: list[Path]) -> bool:
    """Whether the values alone look so: 0 to k without a gap, k differs, and each value is one patch."""
    if len(masks) < 3 or _names.listed(path) is not None:
        return False
    tops: set[int] = set()
    for file in masks[:_LOOKED]:
        try:
            mask = _masks.read_mask(file)
        except InputError:
            return False
        values = np.unique(mask)
        if mask.dtype == np.int64 or values.tolist() != list(range(len(values))):
            return False
        tops.add(len(values) - 1)
        if not all(_one_patch(mask == value) for value in values[1:9].tolist()):
            return False
    return len(tops) > 1 and max(tops) > 1


def _one_patch(mask: np.ndarray) -> bool:
    from scipy import ndimage

    parts, count = ndimage.label(mask, np.ones((3, 3)))
    return count == 1 or bool(np.bincount(parts.ravel())[1:].max() >= 0.9 * mask.sum())


def objects_in(mask: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
    """Boxes, classes, masks and numbers of the objects, in the order of their numbers."""
    values = [int(value) for value in np.unique(mask) if value]
    values.sort(key=lambda value: (value % EACH, value) if len(names) > 1 else (value, value))
    masks = np.stack([mask == value for value in values]) if values else np.zeros((0, *mask.shape), bool)
    boxes = np.array([bounds(one) for one in masks], np.float32).reshape(-1, 4)
    classes = np.array([value // EACH if len(names) > 1 else 0 for value in values], np.int64)
    return boxes, classes, masks, values


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The box around the pixels of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
