"""Laying one small picture over another: the scale and shift that a cut of one from the other explains.

Stacks of square grey pictures go in, a pair a row; a place is (y scale, y shift, x scale, x shift) about the middle,
in half sides.
"""

from __future__ import annotations

import numpy as np


def banded(thumbnails: np.ndarray) -> np.ndarray:
    """Thumbnails without the finest grain, which copies lose, and without broad shades, which strangers share."""
    import cv2

    made = np.empty(thumbnails.shape, np.float16)
    for place, picture in enumerate(thumbnails):
        grey = picture.astype(np.float32)
        fine, broad = (cv2.GaussianBlur(grey, (0, 0), spread, borderType=cv2.BORDER_REFLECT) for spread in (0.8, 5.0))
        made[place] = fine - broad
    return made


def places(count: int) -> np.ndarray:
    """The middles of pixels on a line from -1 to 1."""
    return np.asarray((np.arange(count, dtype=np.float32) + 0.5) / count * 2 - 1)


def halved(pictures: np.ndarray) -> np.ndarray:
    """Pictures of half the side."""
    rows = pictures[:, 0::2] + pictures[:, 1::2]
    return np.asarray((rows[:, :, 0::2] + rows[:, :, 1::2]) / 4)


def moved(pictures: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pictures read at their scaled and shifted places, and where those lie inside."""
    rows, down = _read(pictures, place[:, 0:1], place[:, 1:2])
    columns, right = _read(rows.transpose(0, 2, 1), place[:, 2:3], place[:, 3:4])
    return columns.transpose(0, 2, 1), (down[:, :, None] & right[:, None, :]).astype(np.float32)


def _read(pictures: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    side = pictures.shape[1]
    at = (places(side) * scale + shift + 1) * (side / 2) - 0.5
    low = np.clip(np.floor(at), 0, side - 2).astype(np.intp)
    part = np.clip(at - low, 0, 1).astype(np.float32)[..., None]
    each = np.arange(len(pictures))[:, None]
    return pictures[each, low] * (1 - part) + pictures[each, low + 1] * part, (at > -0.75) & (at < side - 0.25)


def normal(pictures: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Mean zero and length one over what is seen; a row a picture."""
    size = pictures.shape[1] * pictures.shape[2]
    flat, part = pictures.reshape(-1, size), seen.reshape(-1, size)
    middle = dot(flat, part) / np.maximum(part.sum(1), 1)
    spread = (flat - middle[:, None]) * part
    return np.asarray(spread / np.maximum(np.sqrt(dot(spread, spread)), 1e-6)[:, None])


def dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The inner product of each row with its twin."""
    return np.asarray(np.einsum("ij,ij->i", first, second))


def fitted(still: np.ndarray, moving: np.ndarray, place: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift that lay `moving` over `still` best, by Gauss-Newton steps from `place`; their correlation."""
    count, side, _ = still.shape
    across = places(side)
    best, most = place.copy(), np.full(count, -2.0, np.float32)
    for step in range(steps + 1):
        laid, seen = moved(moving, place)
        goal, have = normal(still, seen), normal(laid, seen)
        found = dot(goal, have)
        better = found > most
        best[better], most[better] = place[better], found[better]
        if step == steps:
            break
        have = have.reshape(seen.shape)
        down, right = (np.gradient(have, axis=axis) * (side / 2) * seen for axis in (1, 2))
        turned = np.stack([down * across[:, None], down, right * across, right, have, seen], 1).reshape(count, 6, -1)
        square = turned @ turned.transpose(0, 2, 1)
        square += (1e-3 / 6 * np.trace(square, axis1=1, axis2=2)[:, None, None] + 1e-8) * np.eye(6, dtype=np.float32)
        change = np.linalg.solve(square, turned @ (goal - have.reshape(count, -1))[..., None])[:, :4, 0]
        place = _allowed(place + np.clip(change, -0.06, 0.06))
    return best, most


def _allowed(place: np.ndarray) -> np.ndarray:
    """Scales of a cut, and shifts no larger than the cut explains."""
    scale, shift = np.clip(place[:, 0::2], 0.86, 1.16), place[:, 1::2]
    most = np.abs(1 - scale) + 0.04
    return np.stack([scale, np.clip(shift, -most, most)], -1).reshape(len(place), 4).astype(np.float32)
