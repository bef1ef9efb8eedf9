"""Superpixels: k-means in colour and place, each middle looking no farther than its neighbours."""

from __future__ import annotations

import numpy as np

from sightline.finders._light import luma


def superpixels(values: np.ndarray, count: int, compact: float, times: int) -> np.ndarray:
    """(rows, columns) numbers from 0, without gaps; every number is one connected region."""
    rows, columns = values.shape[:2]
    step = float(np.sqrt(rows * columns / count))
    tall, wide = max(1, round(rows / step)), max(1, round(columns / step))
    seen = np.concatenate([_even(values) * np.float32(100 / compact), _places(rows, columns, step)], 2)
    flat = seen.reshape(-1, seen.shape[2])
    row = np.minimum(np.arange(rows) * tall // rows, tall - 1)
    column = np.minimum(np.arange(columns) * wide // columns, wide - 1)
    cell = (row[:, None] * wide + column[None]).ravel()
    found = cell.copy()
    for _ in range(times):
        total = np.bincount(found, minlength=tall * wide)
        sums = np.stack([np.bincount(found, part, tall * wide) for part in flat.T], 1)
        middles = (sums / np.maximum(total, 1)[:, None]).astype(np.float32)
        found = _nearest(flat, middles, total > 0, cell, tall, wide)
    return _joined(found.reshape(rows, columns))


def _even(values: np.ndarray) -> np.ndarray:
    """Colours in which equal steps look alike: Lab for three channels, else the values."""
    import cv2

    if values.shape[2] != 3:
        return luma(values)[..., None] if values.shape[2] == 1 else values
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(values), cv2.COLOR_RGB2Lab)) / np.float32(100)


def _places(rows: int, columns: int, step: float) -> np.ndarray:
    down, right = np.mgrid[:rows, :columns].astype(np.float32) / np.float32(step)
    return np.stack([down, right], 2)


def _nearest(
    flat: np.ndarray, middles: np.ndarray, there: np.ndarray, cell: np.ndarray, tall: int, wide: int
) -> np.ndarray:
    """For each pixel the nearest middle of its cell of the grid and the eight around."""
    best = np.full(len(flat), np.inf, np.float32)
    found = cell.copy()
    row, column = cell // wide, cell % wide
    for down in (0, -1, 1):
        for right in (0, -1, 1):
            inside = (row + down >= 0) & (row + down < tall) & (column + right >= 0) & (column + right < wide)
            other = np.where(inside, cell + down * wide + right, cell)
            away = np.square(flat - middles[other]).sum(1)
            nearer = (away < best) & there[other]
            best = np.where(nearer, away, best)
            found = np.where(nearer, other, found)
    return found


def _joined(found: np.ndarray) -> np.ndarray:
    """Every region connected: of each number the largest part keeps it, other parts go to the number beside them."""
    from scipy import ndimage

    parts = _parts(found)
    sizes = np.bincount(parts.ravel())
    number = np.zeros(len(sizes), np.int64)
    number[parts.ravel()] = found.ravel()
    largest = np.zeros(int(found.max()) + 1, np.int64)
    np.maximum.at(largest, number, sizes)
    main = sizes == largest[number]
    main &= np.arange(len(sizes)) == _first(number, main)
    stray = ~main[parts]
    if stray.any():
        nearest = ndimage.distance_transform_cdt(stray, metric="taxicab", return_distances=False, return_indices=True)
        parts = parts[nearest[0], nearest[1]]
        parts = _parts(parts)
    return np.unique(parts, return_inverse=True)[1].reshape(found.shape).astype(np.int32)


def _first(number: np.ndarray, main: np.ndarray) -> np.ndarray:
    """For each part the first of the largest parts with its number."""
    first = np.full(int(number.max()) + 1, len(number))
    np.minimum.at(first, number[main], np.flatnonzero(main))
    return np.asarray(first[number])


def _parts(found: np.ndarray) -> np.ndarray:
    """Connected parts (by sides) of equal numbers."""
    from scipy import sparse
    from scipy.sparse import csgraph

    place = np.arange(found.size).reshape(found.shape)
    pairs = [
        (place[:, :-1][found[:, :-1] == found[:, 1:]], place[:, 1:][found[:, :-1] == found[:, 1:]]),
        (place[:-1][found[:-1] == found[1:]], place[1:][found[:-1] == found[1:]]),
    ]
    one, other = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    graph = sparse.coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(found.size,) * 2)
    return np.asarray(csgraph.connected_components(graph, directed=False)[1]).reshape(found.shape)
