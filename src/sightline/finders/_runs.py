"""Connected parts of a mask by its runs of pixels: there are far fewer runs than pixels, and no map is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Connected parts in the order of their first pixel, and the runs that they are made of, sorted by part."""

    boxes: np.ndarray  # (n, 4) whole numbers x0 y0 x1 y1
    areas: np.ndarray  # (n,) pixels
    middles: np.ndarray  # (n, 2) x, y of the mean pixel
    runs: np.ndarray  # (m, 3) row, first column, the column after the last
    begins: np.ndarray  # (n + 1,) where the runs of each part begin

    def __len__(self) -> int:
        return len(self.areas)

    def mask(self, part: int) -> np.ndarray:
        """The pixels of a part within its box."""
        x0, y0, x1, y1 = self.boxes[part].tolist()
        steps = np.zeros((y1 - y0, x1 - x0 + 1), np.int8)
        rows, first, last = self.runs[self.begins[part] : self.begins[part + 1]].T
        np.add.at(steps, (rows - y0, first - x0), 1)
        np.add.at(steps, (rows - y0, last - x0), -1)
        return np.asarray(np.cumsum(steps, 1, dtype=np.int8)[:, :-1] > 0)


def parts_of(mask: np.ndarray, corners: bool) -> Parts:
    """The connected parts of a mask; with `corners` pixels that touch at a corner are together."""
    from scipy import sparse
    from scipy.sparse import csgraph

    rows, first, last, wide = _runs(mask)
    if not len(rows):
        none = np.zeros(0, np.int64)
        return Parts(np.zeros((0, 4), np.int64), none, np.zeros((0, 2)), np.zeros((0, 3), np.int64), np.zeros(1, int))
    reach = 1 if corners else 0
    below = (rows + 1) * wide
    low = np.searchsorted(rows * wide + last, below + first - reach, side="right")
    high = np.searchsorted(rows * wide + first, below + last + reach, side="left")
    counts = np.maximum(high - low, 0)
    one = np.repeat(np.arange(len(rows)), counts)
    other = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    graph = sparse.coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(len(rows),) * 2)
    count, names = csgraph.connected_components(graph, directed=False)
    return _measured(rows, first, last, names, count)


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Row, first column and the column after the last of every run, and a width that keeps rows apart."""
    wide = mask.shape[1] + 2
    padded = np.zeros((mask.shape[0], wide), np.uint8)
    padded[:, 1:-1] = mask
    flat = padded.ravel()
    changes = np.flatnonzero((flat[1:] ^ flat[:-1]).view(bool))
    begins, ends = changes[::2], changes[1::2]
    rows = begins // wide
    return rows, begins - rows * wide, ends - rows * wide, wide


def _measured(rows: np.ndarray, first: np.ndarray, last: np.ndarray, names: np.ndarray, count: int) -> Parts:
    order = np.argsort(names, kind="stable")
    begins = np.searchsorted(names[order], np.arange(count + 1))
    turn = np.argsort(order[begins[:-1]], kind="stable")  # parts by their first run, which comes first in the picture
    place = np.empty(count, np.int64)
    place[turn] = np.arange(count)
    names = place[names]
    order = np.argsort(names, kind="stable")
    begins = np.searchsorted(names[order], np.arange(count + 1))
    rows, first, last = rows[order], first[order], last[order]
    starts, lengths = begins[:-1], last - first
    areas = np.add.reduceat(lengths, starts)
    x = np.add.reduceat(lengths * (first + last - 1) / 2, starts) / areas
    y = np.add.reduceat(lengths * rows, starts) / areas
    sides = [
        np.minimum.reduceat(first, starts),
        rows[starts],
        np.maximum.reduceat(last, starts),
        rows[begins[1:] - 1] + 1,
    ]
    return Parts(np.stack(sides, 1), areas, np.stack([x, y], 1), np.stack([rows, first, last], 1), begins)
