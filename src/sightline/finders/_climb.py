"""Basins: every pixel of a mask goes with the peak that it climbs to."""

from __future__ import annotations

import numpy as np


def climbed(height: np.ndarray, mask: np.ndarray, apart: float) -> np.ndarray:
    """Numbers from 1 (0 outside of the mask): pixels that the steepest way up leads to one peak.

    A peak within `apart` pixels of a higher one in the same connected part is no peak of its own. Slopes of one height
    go to the pixel that comes later, so that a plateau has one peak.
    """
    import cv2
    from scipy import ndimage

    if not mask.any():
        return np.zeros(mask.shape, np.int64)
    smooth = np.asarray(cv2.GaussianBlur(height, (0, 0), max(0.5, apart / 8))).reshape(height.shape)
    parts, _ = ndimage.label(mask, np.ones((3, 3), int))
    rank = np.empty(mask.size, np.int64)  # no two pixels are of one rank
    rank[np.argsort(np.where(mask, smooth, -1).ravel(), kind="stable")] = np.arange(mask.size)
    up = _steepest(rank.reshape(mask.shape), mask)
    up = _followed(up)
    peaks = np.flatnonzero((up == np.arange(len(up))) & mask.ravel())
    up[peaks] = _higher(peaks, rank, parts, apart)
    up = _followed(up)
    made = np.zeros(mask.size, np.int64)
    inside = mask.ravel()
    made[inside] = np.unique(up[inside], return_inverse=True)[1] + 1
    return made.reshape(mask.shape)


def _steepest(rank: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """For each pixel the highest of it and its eight neighbours in the mask."""
    rows, columns = rank.shape
    padded = np.pad(np.where(mask, rank, -1), 1, constant_values=-1)
    best = np.full(rank.shape, -2, np.int64)
    up = np.zeros(rank.shape, np.int64)
    place = np.arange(rank.size).reshape(rank.shape)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            near = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
            higher = near > best
            best = np.where(higher, near, best)
            up = np.where(higher, place + down * columns + right, up)
    return np.where(mask, up, place).ravel()


def _followed(up: np.ndarray) -> np.ndarray:
    """Where the way up ends."""
    while True:
        further = up[up]
        if np.array_equal(further, up):
            return up
        up = further


def _higher(peaks: np.ndarray, rank: np.ndarray, parts: np.ndarray, apart: float) -> np.ndarray:
    """For each peak the highest peak within reach that is in the same part, or itself."""
    from scipy import spatial

    columns = parts.shape[1]
    places = np.stack([peaks // columns, peaks % columns], 1)
    belongs = parts.ravel()[peaks]
    pairs = spatial.cKDTree(places).query_pairs(apart, output_type="ndarray")
    pairs = pairs[belongs[pairs[:, 0]] == belongs[pairs[:, 1]]]
    to = peaks.copy()
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    order = np.argsort(rank[peaks[ends[:, 1]]], kind="stable")  # the highest is written last
    ends = ends[order]
    ends = ends[rank[peaks[ends[:, 1]]] > rank[peaks[ends[:, 0]]]]
    to[ends[:, 0]] = peaks[ends[:, 1]]
    return to
