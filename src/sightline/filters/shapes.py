"""Filters of black-and-white shapes: what is lighter than `level` is a shape; one channel, white on black."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from sightline.core.asked import flag, number, whole
from sightline.filters._pixels import black_and_white, chosen, ends, on_any_pixels

# The neighbours of a pixel, clockwise from above, and what each adds to the number that stands for all eight.
_CLOCKWISE = ((0, 1, 2), (7, 0, 3), (6, 5, 4))


def _shape(what: str, image: np.ndarray, level: float) -> np.ndarray:
    """Rows and columns of uint8: 255 where there is one."""
    return chosen(image, number(what, "level", level, 0, 1))


@on_any_pixels
def skeleton(image: np.ndarray, *, level: float = 0.5) -> np.ndarray:
    """Shapes thinned to lines of one pixel in their middles, as connected as they were (Guo and Hall 1989)."""
    return black_and_white(_thinned(_shape("skeleton", image, level), 0), image)


@on_any_pixels
def thin(image: np.ndarray, *, times: int = 3, level: float = 0.5) -> np.ndarray:
    """Shapes thinned so many times by a pixel all around, never torn (Guo and Hall 1989); 0 is as often as it takes."""
    times = whole("thin", "times", times, 0, 100_000)
    return black_and_white(_thinned(_shape("thin", image, level), times), image)


def _thinned(mask: np.ndarray, times: int) -> np.ndarray:
    """Pixels are taken away in two turns, as the table of the turn says of the eight neighbours."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return mask
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    left = cv2.copyMakeBorder(mask[window] & 1, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    weights = np.array([[1 << place for place in row] for row in _CLOCKWISE], np.float32)
    weights[1, 1] = 0
    turns = 0
    before = -1
    while (count := cv2.countNonZero(left)) != before and (not times or turns < times):
        for table in _guo_hall():
            around = cv2.filter2D(left, cv2.CV_8U, weights, borderType=cv2.BORDER_CONSTANT)
            left = cv2.bitwise_and(left, cv2.LUT(around, table))
        before, turns = count, turns + 1
    made = np.zeros_like(mask)
    made[window] = left[1:-1, 1:-1] * np.uint8(255)
    return made


def _neighbours() -> np.ndarray:
    """(256, 8) bool: which neighbours each number stands for, clockwise from the one above to the left."""
    return (np.arange(256)[:, None] >> np.arange(8) & 1).astype(bool)


@cache
def _guo_hall() -> tuple[np.ndarray, np.ndarray]:
    """For each turn 0 where the pixel in the middle goes, and 1 where it stays."""
    n = _neighbours()  # 0 above left, 1 above, 2 above right, 3 right, 4 below right, 5 below, 6 below left, 7 left
    above, right, below, left = n[:, 1], n[:, 3], n[:, 5], n[:, 7]
    crossings = sum((~n[:, side] & (n[:, (side + 1) % 8] | n[:, (side + 2) % 8])).astype(int) for side in (1, 3, 5, 7))
    ones = sum((n[:, side] | n[:, side - 1]).astype(int) for side in (1, 3, 5, 7))
    others = sum((n[:, side] | n[:, (side + 1) % 8]).astype(int) for side in (1, 3, 5, 7))
    fewest = np.minimum(ones, others)
    edge = (crossings == 1) & (fewest >= 2) & (fewest <= 3)
    first = edge & ~((above | n[:, 2] | ~n[:, 4]) & right)
    second = edge & ~((below | n[:, 6] | ~n[:, 0]) & left)
    return (~first).astype(np.uint8), (~second).astype(np.uint8)


@on_any_pixels
def fill_holes(image: np.ndarray, *, level: float = 0.5) -> np.ndarray:
    """Dark places that a shape surrounds become part of it."""
    mask = _shape("fill_holes", image, level)
    ground = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(ground, None, (0, 0), 128, flags=4)
    return black_and_white(np.ascontiguousarray(ground[1:-1, 1:-1]) != 128, image)


@on_any_pixels
def remove_small(image: np.ndarray, *, area: int = 64, holes: bool = False, level: float = 0.5) -> np.ndarray:
    """Shapes of fewer than `area` pixels are gone; with `holes` dark places as small are filled too."""
    least = whole("remove_small", "area", area, 0, 2**31)
    mask = _without_small(_shape("remove_small", image, level), least, 8)
    if flag("remove_small", "holes", holes):
        mask = ~_without_small(~mask, least, 4)
    return black_and_white(mask, image)


def _without_small(mask: np.ndarray, least: int, connectivity: int) -> np.ndarray:
    count, labels = cv2.connectedComponents(mask, connectivity=connectivity)  # counting here is faster than its own
    kept = np.where(np.bincount(np.asarray(labels).ravel(), minlength=count) >= least, 255, 0).astype(np.uint8)
    kept[0] = 0
    if count > 65536:
        return np.asarray(kept.take(labels)).reshape(mask.shape)
    table = np.zeros(65536, np.uint8)
    table[:count] = kept
    return np.asarray(cv2.LUT(np.asarray(labels).astype(np.uint16), table)).reshape(mask.shape)


@on_any_pixels
def distance(image: np.ndarray, *, reach: float = 0.0, level: float = 0.5) -> np.ndarray:
    """How far each pixel of a shape is from what is none: white is `reach` pixels, or the furthest there is for 0."""
    number("distance", "reach", reach, 0, 1e6)
    low, top = ends(image)
    mask = _shape("distance", image, level)
    if (mask != 0).all():
        return black_and_white(mask, image)  # there is nothing to be far from
    far = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)).reshape(mask.shape)
    white = reach or float(far.max()) or 1.0
    if image.dtype == np.uint8:
        return np.asarray(cv2.convertScaleAbs(far, alpha=255 / white))[..., None]
    far *= np.float32((top - low) / white)
    if image.dtype.kind == "u":
        np.rint(far, out=far)
    else:
        far += np.float32(low)
    return np.asarray(np.minimum(far, np.float32(top), out=far).astype(image.dtype))[..., None]


@on_any_pixels
def convex_hull(image: np.ndarray, *, each: bool = False, level: float = 0.5) -> np.ndarray:
    """The least shape without dents that holds them all, or with `each` one around every shape."""
    mask = _shape("convex_hull", image, level)
    made = np.zeros_like(mask)
    if flag("convex_hull", "each", each):
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in outlines:
            cv2.fillConvexPoly(made, _hull(np.asarray(outline)), 255)
    elif mask.any():
        cv2.fillConvexPoly(made, _hull(np.asarray(cv2.findNonZero(mask))), 255)
    return black_and_white(made, image)


def _hull(points: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.convexHull(points.reshape(-1, 1, 2))).reshape(-1, 1, 2)
