"""Where pictures that may be copies meet: their lowest frequencies, whitened over the set, hashed by random planes.

A picture asks the tables for itself, its mirror image and slightly cut versions of both, so that copies meet in a
bucket and no picture is held against all others.
"""

from __future__ import annotations

import numpy as np

from sightline.core.alignment import dot, places
from sightline.core.chance import generator

SIDE = 32  # pixels of a thumbnail
TABLES = 4  # of buckets; two copies that miss each other in one meet in another
BLOCK = 2048  # rows a step, which bounds memory
_CUT = 0.05  # of a side; what a picture asks for besides itself
_MEET = 0.84  # cosine of whitened frequencies below which two that met by chance are not laid over one another
_SIGNS, _APART = 64, 24  # planes; on how many of them two of that cosine may lie apart (12 on average, 3 of spread)
_CROWD = 24  # pictures of one bucket that are compared with each one that asks; crowds are chained, not squared
_INNER = 1 - _CUT
_WINDOWS = (
    (1, 0, 1, 0),
    *((_INNER, y * _CUT, _INNER, x * _CUT) for y, x in ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))),
)
VIEWS = np.array([(mirrored, *window) for mirrored in (0, 1) for window in _WINDOWS], np.float32)
_WAVES = 7  # frequencies along a side
_DOUBTS = 4  # bits of a bucket's number that a picture also tries the other way round, the least sure ones


class Buckets:
    """Buckets of thumbnails, and who meets whom in them."""

    def __init__(self, thumbnails: np.ndarray) -> None:
        self.thumbnails = thumbnails
        plain = frequencies(thumbnails, VIEWS[0])
        self.round = Round(plain)
        self.points = self.round(plain)
        bits = int(np.clip(np.log2(len(thumbnails)), 4, 20))
        chance = generator("likeness", "planes")
        self.planes = [chance.standard_normal((plain.shape[1], bits)).astype(np.float32) for _ in range(TABLES)]
        self.tables = [self._table(planes) for planes in self.planes]
        self.signing = chance.standard_normal((plain.shape[1], _SIGNS)).astype(np.float32)
        self.signs = self._signed(self.points)

    def _signed(self, points: np.ndarray) -> np.ndarray:
        """The sides of many planes in one number a point: strangers are told by it before they are multiplied."""
        return np.packbits(points @ self.signing > 0, axis=1).view(np.uint64)[:, 0]

    def _table(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows in the order of buckets, and in each by the first coordinate; their keys; where each bucket begins."""
        codes, _ = _codes(self.points @ planes)
        keys = codes + _fraction(self.points)
        order = np.argsort(keys, kind="stable")
        begins = np.searchsorted(codes[order], np.arange(2 ** planes.shape[1] + 1))
        return order, keys[order], begins

    def meet(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each pair (row, other row) that met in a bucket and looks alike from afar, once, with its best view."""
        met = []
        for view in range(len(VIEWS)):
            points = self.round(frequencies(self.thumbnails[rows], VIEWS[view]))
            signs = self._signed(points)
            for table in range(TABLES):
                asking, other = self._bucketed(points, table)
                left = np.flatnonzero(np.bitwise_count(signs[asking] ^ self.signs[other]) <= _APART)
                asking, other = asking[left], other[left]
                near = dot(points[asking], self.points[other])
                twice = rows[asking] >= other if view % len(_WINDOWS) == 0 else rows[asking] == other
                close = np.flatnonzero((near >= _MEET) & ~twice)
                met.append((rows[asking[close]], other[close], np.full(len(close), view), near[close]))
        first, second, views, near = (np.concatenate(column) for column in zip(*met, strict=True))
        best = np.lexsort((-near, second, first))
        fresh = np.ones(len(best), bool)
        fresh[1:] = (np.diff(first[best]) != 0) | (np.diff(second[best]) != 0)
        best = best[fresh]
        return first[best], second[best], views[best]

    def _bucketed(self, points: np.ndarray, table: int) -> tuple[np.ndarray, np.ndarray]:
        """Which point asks, and every other row in the buckets that it asks for."""
        order, keys, begins = self.tables[table]
        codes, sure = _codes(points @ self.planes[table])
        doubts = np.argpartition(sure, _DOUBTS - 1, axis=1)[:, :_DOUBTS] if sure.shape[1] > _DOUBTS else None
        flips = np.arange(sure.shape[1])[None].repeat(len(points), 0) if doubts is None else doubts
        asked = np.concatenate([codes[:, None], codes[:, None] ^ (1 << flips)], 1)
        begin, end = begins[asked], begins[asked + 1]
        crowded = np.nonzero(end - begin > _CROWD)
        if len(crowded[0]):
            middle = np.searchsorted(keys, asked[crowded] + _fraction(points)[crowded[0]]) - _CROWD // 2
            begin[crowded] = np.clip(middle, begin[crowded], end[crowded] - _CROWD)
            end[crowded] = begin[crowded] + _CROWD
        counts = (end - begin).ravel()
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        others = order[np.repeat(begin.ravel(), counts) + within]
        asking = np.repeat(np.arange(counts.size) // asked.shape[1], counts)
        return asking, others


def _codes(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A bucket's number from the sides of the planes, and how far from each plane."""
    return (heights > 0) @ (1 << np.arange(heights.shape[1])), np.abs(heights)


def _fraction(points: np.ndarray) -> np.ndarray:
    return np.asarray((points[:, 0].astype(np.float64) + 1.001) / 2.01)


def frequencies(thumbnails: np.ndarray, view: np.ndarray, count: int = _WAVES) -> np.ndarray:
    """The lowest frequencies of each thumbnail as the view shows it, without brightness and contrast."""
    along, across = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    kept = (along + across > 0) & (along + across < count)
    mirrored, *window = view.tolist()
    cosines = np.cos(np.pi * np.arange(count)[:, None] * (np.arange(SIDE) + 0.5) / SIDE)
    down, right = ((cosines @ _sampling(*part)).astype(np.float32) for part in (window[:2], window[2:]))
    right = (right[:, ::-1] if mirrored else right).T
    waves = np.empty((len(thumbnails), int(kept.sum())), np.float32)
    for start in range(0, len(thumbnails), BLOCK):
        part = slice(start, start + BLOCK)
        waves[part] = (down @ thumbnails[part].astype(np.float32) @ right)[:, kept]
    return np.asarray(waves / np.maximum(np.linalg.norm(waves, axis=1, keepdims=True), 1e-6))


def _sampling(scale: float, shift: float) -> np.ndarray:
    """The matrix that reads a line of a picture at scaled and shifted places, between its pixels."""
    at = np.clip((places(SIDE) * scale + shift + 1) * SIDE / 2 - 0.5, 0, SIDE - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(SIDE))))


class Round:
    """Makes a set round, so that no direction tells more of its pictures than another; answers directions."""

    def __init__(self, waves: np.ndarray) -> None:
        count, width = waves.shape
        middle = waves.mean(0, dtype=np.float64)
        apart = waves - middle
        few = 3.0 * width  # as if so many unknown pictures had been seen: small sets say little about directions
        values, axes = np.linalg.eigh((apart.T @ apart + few / width * np.eye(width)) / (count + few))
        self.middle = (middle * (count / (count + few))).astype(np.float32)
        self.axes = ((axes / np.sqrt(values + 1e-5)) @ axes.T).astype(np.float32)

    def __call__(self, waves: np.ndarray) -> np.ndarray:
        points = (waves - self.middle) @ self.axes
        return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6))
