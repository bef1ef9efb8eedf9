"""Features of edges: where they run, and how they stand to each other."""

from __future__ import annotations

import numpy as np

from sightline.features._light import level, resized, whole

_CLIP, _TINY = 0.2, 1e-5


def hog(image: np.ndarray, *, cells: int = 8, block: int = 2, bins: int = 9) -> np.ndarray:
    """Directions of edges in a grid of cells, each block of cells brought to one strength (Dalal and Triggs 2005).

    `cells` a side, `block` cells a side, `bins` of half a turn. A gain of light changes nothing. `hog.picture(image)`
    draws the cells for people.
    """
    found = _cells(image, cells, bins)
    places = cells - block + 1
    windows = np.lib.stride_tricks.sliding_window_view(found, (block, block), axis=(0, 1))
    blocks = windows.transpose(0, 1, 3, 4, 2).reshape(places * places, -1)
    blocks = np.minimum(blocks / _length(blocks), _CLIP)
    return np.asarray(blocks / _length(blocks), np.float32).ravel()


def _picture(image: np.ndarray, *, cells: int = 16, bins: int = 9, side: int = 512) -> np.ndarray:
    """What HOG sees, for people: in each cell a line along the edges of each direction, as light as they are strong."""
    import cv2

    found = _cells(image, cells, bins)
    shares = found / max(float(found.max()), 1e-9)
    made = np.zeros((side, side), np.float32)
    step = side / cells
    order = np.argsort(shares.ravel(), kind="stable")  # strong ones are drawn last
    for row, column, number in zip(*np.unravel_index(order, shares.shape), strict=True):
        angle = (number + 0.5) * np.pi / bins + np.pi / 2  # an edge runs across the way that light changes
        middle = (np.array([column, row]) + 0.5) * step
        reach = 0.46 * step * np.array([np.cos(angle), -np.sin(angle)])
        ends = [tuple(int(part) for part in np.rint((middle + way * reach) * 16)) for way in (-1, 1)]
        cv2.line(made, ends[0], ends[1], float(shares[row, column, number]), 1, cv2.LINE_AA, 4)
    return np.repeat(np.rint(np.clip(made, 0, 1) * 255).astype(np.uint8)[..., None], 3, 2)


hog.picture = _picture  # type: ignore[attr-defined]


def _cells(image: np.ndarray, cells: int, bins: int) -> np.ndarray:
    """(cells, cells, bins): the mean strength of edges of each direction in each cell."""
    rows, columns = (whole(side, cells) for side in image.shape[:2])
    shown = resized(level(image), rows, columns)
    down, right = np.zeros_like(shown), np.zeros_like(shown)
    np.subtract(shown[2:], shown[:-2], out=down[1:-1])
    np.subtract(shown[:, 2:], shown[:, :-2], out=right[:, 1:-1])
    strength = np.hypot(down, right)
    if shown.shape[-1] > 1:  # of each place the channel with the strongest edge
        best = strength.argmax(-1)[..., None]
        down, right, strength = (np.take_along_axis(map_, best, -1) for map_ in (down, right, strength))
    down, right = down[..., 0], right[..., 0]
    turn = np.arctan2(np.abs(down), np.where((down < 0) | ((down == 0) & (right < 0)), -right, right))  # half a turn
    direction = np.minimum((turn * np.float32(bins / np.pi)).astype(np.int64), bins - 1)
    cell = np.arange(rows)[:, None] // (rows // cells) * cells + np.arange(columns) // (columns // cells)
    sums = np.bincount((cell * bins + direction).ravel(), strength[..., 0].ravel(), cells * cells * bins)
    return np.asarray(sums.reshape(cells, cells, bins) / (rows // cells * (columns // cells)))


def _length(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.square(rows).sum(1, keepdims=True) + _TINY**2))
