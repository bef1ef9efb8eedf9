"""Where circles may be: every edge votes for the middles that its direction allows, on a small copy of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SMALL = 5.0  # pixels of the smallest radius on the small copy
_STEP = 1.08  # from one radius to the next
_TINY = 0.06  # light that no lamp gives: keeps noise of black parts small
_MOST = 1200  # circles that are looked at closely
_PEAK = 0.16  # of the votes that a whole circle has


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """How light changes to the right and down (rows, columns, 2), as shares of the light around."""

    both: np.ndarray
    light: np.ndarray  # rows, columns: the light itself, as a share of that around
    factor: float  # pixels of the picture that one pixel of this copy stands for
    noise: float  # the usual length of a slope where nothing is

    @property
    def size(self) -> tuple[int, int]:
        return self.both.shape[0], self.both.shape[1]


def copies(gray: np.ndarray, smallest: float, largest: float) -> tuple[Slopes, Slopes]:
    """The slopes of a small copy, where circles are looked for, and of the picture itself, where they are measured."""
    import cv2

    factor = max(1, int(smallest / _SMALL))
    rows, columns = (max(8, round(side / factor)) for side in gray.shape)
    small = gray if factor == 1 else np.asarray(cv2.resize(gray, (columns, rows), interpolation=cv2.INTER_AREA))
    around = np.asarray(cv2.GaussianBlur(small, (0, 0), max(2.0, 0.7 * largest / factor)))
    small_slopes = _slopes(small, around, factor)
    if factor == 1:
        return small_slopes, small_slopes
    wide = np.asarray(cv2.resize(around, gray.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return small_slopes, _slopes(gray, wide, 1)


def _slopes(light: np.ndarray, around: np.ndarray, factor: float) -> Slopes:
    import cv2

    even = np.asarray(cv2.GaussianBlur(light / (around + np.float32(_TINY)), (0, 0), 1.0))
    steps = [
        np.asarray(cv2.Sobel(even, cv2.CV_32F, *order, ksize=3, scale=0.125, borderType=cv2.BORDER_REPLICATE))
        for order in ((1, 0), (0, 1))
    ]
    both = np.stack(steps, 2)
    length = np.hypot(both[::3, ::3, 0], both[::3, ::3, 1])
    return Slopes(both, even, factor, float(np.median(length)))


def candidates(slopes: Slopes, smallest: float, largest: float, shades: tuple[int, ...]) -> np.ndarray:
    """Circles (n, 4) x, y, radius in pixels of the picture and shade: 1 lighter inside, -1 darker."""
    places, directions = _edges(slopes)
    if not len(places):
        return np.zeros((0, 4), np.float32)
    least, most = smallest / slopes.factor, max(largest, smallest * 1.02) / slopes.factor
    count = max(2, int(np.ceil(np.log(most / least) / np.log(_STEP))) + 1)
    found = []
    for shade in shades:
        radii = np.geomspace(least, most, count)
        ways = np.float32(shade) * directions
        stack = [_counted(places + np.float32(radius) * ways, slopes.size, float(radius)) for radius in radii]
        found.append(_peaks(stack, radii, shade))
    joined = np.concatenate(found)
    joined = joined[np.argsort(-joined[:, 4], kind="stable")][:_MOST, :4]
    joined[:, :3] *= np.float32(slopes.factor)
    return joined


def _edges(slopes: Slopes) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that are steeper than both neighbours across the edge, and which way light grows there."""
    both = slopes.both
    length = np.hypot(both[..., 0], both[..., 1])
    inner = length[1:-1, 1:-1]
    flat = np.abs(both[1:-1, 1:-1, 0]) > np.abs(both[1:-1, 1:-1, 1])
    thin = np.where(
        flat,
        (inner >= length[1:-1, :-2]) & (inner > length[1:-1, 2:]),
        (inner >= length[:-2, 1:-1]) & (inner > length[2:, 1:-1]),
    )
    level = max(2.0 * slopes.noise, 0.008)
    rows, columns = np.nonzero(thin & (inner > level))
    rows, columns = rows + 1, columns + 1
    directions = both[rows, columns] / length[rows, columns][:, None]
    return np.stack([columns, rows], 1).astype(np.float32) + np.float32(0.5), directions


def _counted(middles: np.ndarray, size: tuple[int, int], radius: float) -> np.ndarray:
    """Votes for each middle, smoothed by what the directions of edges may be wrong, as shares of a whole circle."""
    import cv2

    x, y = np.floor(middles[:, 0]).astype(np.int64), np.floor(middles[:, 1]).astype(np.int64)
    there = (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
    counts = np.bincount(y[there] * size[1] + x[there], minlength=size[0] * size[1])
    spread = max(0.8, 0.07 * radius)
    votes = cv2.GaussianBlur(counts.reshape(size).astype(np.float32), (0, 0), spread, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(votes) * np.float32(spread * spread / radius)


def _peaks(stack: list[np.ndarray], radii: np.ndarray, shade: int) -> np.ndarray:
    """Middles (n, 5) x, y, radius, shade, votes that have more votes than those around and than radii beside."""
    import cv2

    found = []
    for place, votes in enumerate(stack):
        reach = max(1, int(0.15 * radii[place]))
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        near = [stack[other] for other in (place - 1, place + 1) if 0 <= other < len(stack)]
        best = votes >= np.maximum(_PEAK, np.asarray(cv2.dilate(votes, kernel)))
        for other in near:
            best &= votes >= np.asarray(other)
        y, x = np.nonzero(best)
        columns = [x + 0.5, y + 0.5, np.full(len(x), radii[place]), np.full(len(x), shade), votes[y, x]]
        found.append(np.stack(columns, 1))
    return np.concatenate(found).astype(np.float32)
