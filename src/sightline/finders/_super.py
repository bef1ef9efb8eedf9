"""Superpixels: k-means in colour and place, each middle looking no farther than its neighbours."""

from __future__ import annotations

import numpy as np

from sightline.finders._light import luma


def superpixels(values: np.ndarray, count: int, compact: float, times: int) -> np.ndarray:
    """(rows, columns) numbers from 0, without gaps; every number is one connected region."""
    rows, columns = values.shape[:2]
    step = float(np.sqrt(rows * columns / count))
    tall, wide = max(1, round(rows / step)), max(1, round(columns / step))
    seen = _even(values) * np.float32(100 / compact)
    planes = [np.ascontiguousarray(seen[..., part]) for part in range(seen.shape[2])]
    down, right = (np.arange(side).astype(np.float32) / np.float32(step) for side in (rows, columns))
    every = (*planes, np.broadcast_to(down[:, None], (rows, columns)), np.broadcast_to(right, (rows, columns)))
    weights = [plane.astype(np.float64).ravel() for plane in every]
    row, column = np.arange(rows) * tall // rows, np.arange(columns) * wide // columns
    found = row[:, None] * wide + column[None]
    for _ in range(times):
        flat = found.ravel()
        total = np.bincount(flat, minlength=tall * wide)
        sums = np.stack([np.bincount(flat, weight, tall * wide) for weight in weights], 1)
        middles = (sums / np.maximum(total, 1)[:, None]).astype(np.float32)
        found = _nearest(planes, (down, right), middles, total > 0, step, found)
    return _joined(found)


def _even(values: np.ndarray) -> np.ndarray:
    """Colours in which equal steps look alike: Lab for three channels, else the values."""
    import cv2

    if values.shape[2] != 3:
        return luma(values)[..., None] if values.shape[2] == 1 else values
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(values), cv2.COLOR_RGB2Lab)) / np.float32(100)


def _nearest(
    planes: list[np.ndarray],
    places: tuple[np.ndarray, np.ndarray],
    middles: np.ndarray,
    there: np.ndarray,
    step: float,
    found: np.ndarray,
) -> np.ndarray:
    """For each pixel the nearest of the middles that are not farther than a step away in either direction."""
    best = np.full(found.shape, np.inf, np.float32)
    made = found.copy()
    for number in np.flatnonzero(there).tolist():
        middle = middles[number]
        y, x = float(middle[-2]) * step, float(middle[-1]) * step
        window = (
            slice(max(0, int(y - step)), int(y + step) + 2),
            slice(max(0, int(x - step)), int(x + step) + 2),
        )
        away = np.square(planes[0][window] - middle[0])
        for plane, part in zip(planes[1:], middle[1:-2], strict=True):
            away += np.square(plane[window] - part)
        away += np.square(places[0][window[0]] - middle[-2])[:, None]
        away += np.square(places[1][window[1]] - middle[-1])
        nearer = away < best[window]
        np.copyto(best[window], away, where=nearer)
        np.copyto(made[window], number, where=nearer)
    return made


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
    rank = np.cumsum(np.bincount(parts.ravel()) > 0, dtype=np.int32) - np.int32(1)  # without gaps
    return np.asarray(rank[parts])


def _first(number: np.ndarray, main: np.ndarray) -> np.ndarray:
    """For each part the first of the largest parts with its number."""
    first = np.full(int(number.max()) + 1, len(number))
    np.minimum.at(first, number[main], np.flatnonzero(main))
    return np.asarray(first[number])


def _parts(found: np.ndarray) -> np.ndarray:
    """Connected parts (by sides) of equal numbers: pieces of rows, joined to those below them."""
    from scipy import sparse
    from scipy.sparse import csgraph

    begins = np.ones(found.shape, bool)
    np.not_equal(found[:, 1:], found[:, :-1], out=begins[:, 1:])
    piece = np.cumsum(begins.ravel(), dtype=np.int32).reshape(found.shape) - np.int32(1)
    met = (found[1:] == found[:-1]) & (begins[1:] | begins[:-1])  # once where two pieces begin to lie on one another
    one, other, count = piece[:-1][met], piece[1:][met], int(piece[-1, -1]) + 1
    graph = sparse.coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(count, count))
    return np.asarray(csgraph.connected_components(graph, directed=False)[1][piece])
