"""A large picture through a small window: tile by tile, a row of tiles in memory at a time, and no seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sightline.core.depth import from_unit
from sightline.core.inputs import InputSpec, conform, tile_starts, trust

Answer = Callable[[np.ndarray], np.ndarray]  # tiles as the spec has them -> float32 tiles of 0..1, channels last
TOGETHER = 2**17  # pixels of tiles that are answered at a time


def pieced(answer: Answer, pixels: np.ndarray, spec: InputSpec, *, scale: int = 1, depth: str = "") -> np.ndarray:
    """The whole answer, `scale` times as large, in the depth named, or that of the picture.

    What is held beside the picture and its answer is one row of tiles.
    """
    rows, columns = pixels.shape[:2]
    high, wide = spec.size
    given = _padded(pixels, high, wide)
    tops, lefts = tile_starts(given.shape[:2], spec.size, spec.overlap)
    ramp = trust(spec.size, spec.overlap, scale)
    like = np.zeros(0, depth or pixels.dtype)
    whole: np.ndarray | None = None
    total = weight = np.zeros(0, np.float32)
    for place, top in enumerate(tops):
        for left, tile in _answered(answer, given[top : top + high], lefts, spec):
            if whole is None:
                whole = np.empty((rows * scale, columns * scale, tile.shape[-1]), like.dtype)
                total = np.zeros((high * scale, given.shape[1] * scale, tile.shape[-1]), np.float32)
                weight = np.zeros((*total.shape[:2], 1), np.float32)
            across = slice(left * scale, (left + wide) * scale)
            total[:, across] += tile * ramp
            weight[:, across] += ramp
        until = tops[place + 1] if place + 1 < len(tops) else top + high
        ready = (until - top) * scale
        assert whole is not None
        part = whole[top * scale : until * scale]
        made = total[: len(part), : part.shape[1]] / weight[: len(part), : part.shape[1]]
        part[...] = from_unit(made, like)
        for held in (total, weight):
            held[: len(held) - ready] = held[ready:].copy()
            held[len(held) - ready :] = 0
    assert whole is not None
    return whole


def _answered(answer: Answer, band: np.ndarray, lefts: list[int], spec: InputSpec) -> Iterator[tuple[int, np.ndarray]]:
    """Each tile of a row of tiles with where it begins."""
    count = max(1, TOGETHER // (spec.size[0] * spec.size[1]))
    for first in range(0, len(lefts), count):
        some = lefts[first : first + count]
        tiles = [conform(band[:, left : left + spec.size[1]], spec) for left in some]
        yield from zip(some, answer(np.stack(tiles)), strict=True)


def _padded(pixels: np.ndarray, high: int, wide: int) -> np.ndarray:
    """Mirrored beyond its end where a tile is larger than the picture."""
    short = (max(0, high - pixels.shape[0]), max(0, wide - pixels.shape[1]))
    if not any(short):
        return pixels
    return np.pad(pixels, ((0, short[0]), (0, short[1]), (0, 0)), "symmetric")
