"""Regions: pixels that belong together by colour or by place."""

from __future__ import annotations

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects, Regions
from sightline.core.asked import wholes, within
from sightline.core.chance import generator
from sightline.core.errors import SettingsError
from sightline.core.grouping import choose, grouped
from sightline.finders._climb import climbed
from sightline.finders._cut import lit
from sightline.finders._light import byte_plane, colours, luma
from sightline.finders._super import superpixels

_STEPS = 32  # levels a channel that colours are grouped by
_LOOKED = 5000  # pixels, at most, by which the number of groups is chosen


def kmeans(image: np.ndarray, *, count: int = 4, times: int = 20, seed: int = 0) -> Regions:
    """`count` groups of colours, each pixel with the nearest (Lloyd 1982), the darkest group first.

    Colours are grouped by their counts on a grid of 32 levels a channel, begun far apart (Arthur and Vassilvitskii
    2007) by a chance that `seed` fixes; the mean colour of a group is that of its pixels. A `count` of 0 tries 2 to 12
    groups and takes the number with the most spread between groups for the spread within (Calinski and Harabasz 1974).
    """
    wholes("kmeans", 0, 255, count=count)
    wholes("kmeans", 1, 1000, times=times)
    values = colours(image, "kmeans")
    flat = values.reshape(-1, values.shape[2])
    keys = np.minimum((flat * _STEPS).astype(np.int64), _STEPS - 1)
    names = np.zeros(len(flat), np.int64)
    for channel in range(keys.shape[1]):  # channel by channel, so that the names stay small however many there are
        _, names = np.unique(names * _STEPS + keys[:, channel], return_inverse=True)
    names = names.ravel()
    counts = np.bincount(names)
    means = np.stack([np.bincount(names, flat[:, c]) for c in range(flat.shape[1])], 1) / counts[:, None]
    groups = grouped(means, count or _best(flat, times, seed), weights=counts, seed=seed, starts=1, times=times)
    order = np.argsort(luma(groups.middles[None].astype(np.float32))[0], kind="stable")
    found = np.argsort(order)[groups.nearest][names].astype(np.uint8).reshape(values.shape[:2])
    return Regions(found, tuple(f"group {number}" for number in range(1, len(groups) + 1)))


def slic(image: np.ndarray, *, count: int = 200, compact: float = 10.0, times: int = 5) -> Regions:
    """About `count` small regions of one colour that follow edges (superpixels; Achanta et al. 2012).

    A larger `compact` makes them squarer. What is cut off from its region joins the neighbour that it touches most.
    """
    wholes("slic", 1, 60_000, count=count)
    wholes("slic", 1, 100, times=times)
    within("slic", 0.01, 1000, compact=compact)
    found = superpixels(colours(image, "slic"), count, compact, times)
    return Regions(found, tuple(f"piece {number}" for number in range(1, int(found.max()) + 2)))


def watershed(image: np.ndarray, *, level: float = 0.0, dark: bool = False, apart: float = 10.0) -> Objects:
    """Things that touch, parted where they are narrow: each pixel of what is light goes with an innermost point.

    For `level` and `dark` see `components`; two things have innermost points at least `apart` pixels from each other.
    """
    import cv2
    from scipy import ndimage

    within("watershed", 0, 1, level=level)
    within("watershed", 1, 10_000, apart=apart)
    mask = lit(image, "watershed", level, dark)
    depth = np.asarray(cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5))[1:-1, 1:-1]
    filled = climbed(np.ascontiguousarray(depth), mask, apart)
    boxes, outlines = [], []
    for number, place in enumerate(ndimage.find_objects(filled), 1):
        if place is None:
            continue
        corner = np.array([place[1].start, place[0].start], np.float32)
        boxes.append([*corner, place[1].stop, place[0].stop])
        outlines.append(tuple(ring + corner for ring in geometry.trace(filled[place] == number)))
    return Objects(
        np.array(boxes, np.float32).reshape(-1, 4), np.zeros(len(boxes), np.int64), ("thing",), outlines=tuple(outlines)
    )


def grabcut(
    image: np.ndarray,
    *,
    left: float = 0.1,
    top: float = 0.1,
    right: float = 0.9,
    bottom: float = 0.9,
    times: int = 5,
) -> Regions:
    """What stands before its ground in a box (shares of the picture), by colours of both and edges (Rother 2004)."""
    import cv2

    within("grabcut", 0, 1, left=left, top=top, right=right, bottom=bottom)
    wholes("grabcut", 1, 100, times=times)
    if right <= left or bottom <= top:
        raise SettingsError(
            f"grabcut: the box {left}, {top}, {right}, {bottom} is empty: give left < right, top < bottom."
        )
    values = colours(image, "grabcut")
    rows, columns = values.shape[:2]
    shown = np.stack([values[..., min(channel, values.shape[2] - 1)] for channel in range(3)], 2)
    light = np.ascontiguousarray(np.rint(shown[..., ::-1] * 255), np.uint8)
    x0, y0, x1, y1 = round(left * columns), round(top * rows), round(right * columns), round(bottom * rows)
    mask = np.full((rows, columns), cv2.GC_BGD, np.uint8)
    mask[y0:y1, x0:x1] = cv2.GC_PR_FGD
    inside = np.count_nonzero(mask)
    if min(inside, mask.size - inside) >= 8:  # each side needs colours to learn from
        cv2.setRNGSeed(0)
        cv2.grabCut(light, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), times, cv2.GC_INIT_WITH_MASK)
    return Regions(np.asarray(mask & 1, np.uint8), ("background", "thing"))


def flood(image: np.ndarray, *, x: float = 0.5, y: float = 0.5, tolerance: float = 0.08) -> Regions:
    """What is joined to a place (shares of the picture) by light that differs from it by at most `tolerance`."""
    import cv2

    within("flood", 0, 1, x=x, y=y, tolerance=tolerance)
    light = byte_plane(image, "flood").copy()
    rows, columns = light.shape
    mask = np.zeros((rows + 2, columns + 2), np.uint8)
    place = (min(int(x * columns), columns - 1), min(int(y * rows), rows - 1))
    step = (round(tolerance * 255),) * 3
    cv2.floodFill(light, mask, place, (0, 0, 0), step, step, 8 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY)
    return Regions(mask[1:-1, 1:-1].copy(), ("background", "flooded"))


def _best(flat: np.ndarray, times: int, seed: int) -> int:
    """How many groups part the colours best, by some pixels from everywhere."""
    some = flat if len(flat) <= _LOOKED else flat[generator("kmeans", seed).integers(0, len(flat), _LOOKED)]
    return choose(some, by="ratio", seed=seed, times=times).count
