"""Histograms made even tile by tile, in any depth (Zuiderveld 1994, with the clipping of OpenCV)."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from sightline.core.depth import span
from sightline.filters._tables import in_bins

_LEVELS = 256
_STEP = 257  # levels of 16 bits between two of 8


def clahe_of(plane: np.ndarray, clip: float, grid: int) -> np.ndarray:
    """Rows and columns made even; finer depths lie on the lines between the levels of 8 bits."""
    if plane.dtype == np.uint8:
        return np.asarray(cv2.createCLAHE(clip, (grid, grid)).apply(plane)).reshape(plane.shape)
    low, top = span(plane)
    fine = in_bins(plane)
    made = _blended(fine, _tables(fine, clip, grid), grid)
    if plane.dtype.kind == "u":
        return np.asarray(np.rint(made).astype(plane.dtype))
    made *= np.float32((top - low) / 65535)
    made += np.float32(low)
    np.clip(made, np.float32(low), np.float32(top), out=made)
    return made


def _tile(shape: tuple[int, ...], grid: int) -> tuple[int, int]:
    """Rows and columns of one tile; OpenCV widens both sides where either does not divide."""
    rows, columns = shape
    if rows % grid or columns % grid:
        rows, columns = rows + grid - rows % grid, columns + grid - columns % grid
    return rows // grid, columns // grid


def _tables(fine: np.ndarray, clip: float, grid: int) -> np.ndarray:
    """(grid, grid, 2, 256): what each level becomes in the middle of each tile, and how far it is to the next."""
    high, wide = _tile(fine.shape, grid)
    coarse = ((fine.astype(np.uint32) + _STEP // 2) // _STEP).astype(np.uint8)
    below, behind = high * grid - fine.shape[0], wide * grid - fine.shape[1]
    coarse = np.asarray(cv2.copyMakeBorder(coarse, 0, below, 0, behind, cv2.BORDER_REFLECT_101))
    counts = np.empty((grid, grid, _LEVELS), np.int64)
    for down in range(grid):
        for across in range(grid):
            tile = coarse[down * high : (down + 1) * high, across * wide : (across + 1) * wide]
            counts[down, across] = np.bincount(tile.ravel(), minlength=_LEVELS)
    most = max(1, int(clip * high * wide / _LEVELS))
    excess = np.maximum(counts - most, 0).sum(2)
    counts = np.minimum(counts, most) + (excess // _LEVELS)[..., None]
    left = excess % _LEVELS
    steps = np.maximum(_LEVELS // np.maximum(left, 1), 1)[..., None]
    places = np.arange(_LEVELS)
    counts += (places % steps == 0) & (places // steps < left[..., None])
    reach = np.minimum(np.cumsum(counts, 2) * (255.0 / (high * wide)), 255.0) * _STEP
    rise = np.diff(reach, axis=2, append=reach[..., -1:])
    return np.stack([reach, rise], 2).astype(np.float32)


def _blended(fine: np.ndarray, tables: np.ndarray, grid: int) -> np.ndarray:
    """Each value through the tables of the four tiles whose middles are around it, the nearer the more."""
    high, wide = _tile(fine.shape, grid)
    made = np.empty(fine.shape, np.float32)
    level = fine // np.uint16(_STEP)
    rest = (fine - level * np.uint16(_STEP)).astype(np.float32)
    rest *= np.float32(1 / _STEP)
    level = level.astype(np.uint8)

    def through(table: np.ndarray, place: tuple[slice, slice]) -> np.ndarray:
        part = np.ascontiguousarray(level[place])
        found = np.asarray(cv2.LUT(part, table[1])).reshape(part.shape)
        found *= rest[place]
        found += cv2.LUT(part, table[0]).reshape(part.shape)
        return found

    for top, bottom, upper, lower, down in _bands(fine.shape[0], high, grid):
        for left, right, before, behind, across in _bands(fine.shape[1], wide, grid):
            place = (slice(top, bottom), slice(left, right))
            first, third = (through(tables[y, before], place) for y in (upper, lower))
            second, fourth = (through(tables[y, behind], place) for y in (upper, lower))
            first += (second - first) * across
            third += (fourth - third) * across
            made[place] = first + (third - first) * down[:, None]
    return made


def _bands(side: int, tile: int, grid: int) -> list[tuple[int, int, int, int, np.ndarray]]:
    """From, to, the two tiles whose middles are around, and how near the second is to each pixel."""
    places = np.arange(side) / tile - 0.5
    edges = [0, *(edge for n in range(grid) if 0 < (edge := int(np.ceil((n + 0.5) * tile))) < side), side]
    found = []
    for start, end in pairwise(edges):
        first = int(np.floor(places[start]))
        near = (places[start:end] - first).astype(np.float32)
        found.append((start, end, min(max(first, 0), grid - 1), min(max(first + 1, 0), grid - 1), near))
    return found
