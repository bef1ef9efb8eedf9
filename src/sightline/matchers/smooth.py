"""A smooth bend of one picture onto another."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.asked import number
from sightline.core.relation import Field, Matches, sureness
from sightline.matchers._home import inside
from sightline.matchers._light import levels, nothing
from sightline.matchers._places import paired

_KNOTS = 600  # places that bend the plate
_CELL = 8  # pixels between which the plate is as good as straight
_FRIENDS = 8


def thin_plate(
    first: np.ndarray,
    second: np.ndarray,
    *,
    stiff: float = 1.0,
    places: str = "sift",
    most: int = 4000,
    ratio: float = 0.8,
) -> Field:
    """A step for every pixel: a thin plate bent through the places that look alike (Bookstein 1989).

    A place counts if it steps like its neighbours. `stiff`: 0 bends through every place, 100 is nearly flat. Where no
    place is near, steps are guesses of the plate.
    """
    number("thin_plate", "stiff", stiff, 0, 1000)
    matches = paired(*levels(first, second, "thin_plate"), "thin_plate", by=places, most=most, ratio=ratio)
    if len(matches) < 2 * _FRIENDS:
        raise nothing("thin_plate", f"{len(matches)} places look alike; {2 * _FRIENDS} are needed")
    kept = _friendly(matches)
    score = sureness(int(kept.sum()), len(matches))
    if kept.sum() < 2 * _FRIENDS:
        raise nothing("thin_plate", f"{len(matches)} places look alike, but neighbours step differently")
    return _bent(matches.points[kept], matches, stiff, score)


def _friendly(matches: Matches) -> np.ndarray:
    """Which places step as the straight move of their nearest neighbours says."""
    from scipy.spatial import cKDTree

    place, step = matches.points[:, :2], matches.points[:, 2:] - matches.points[:, :2]
    diagonal = float(np.hypot(*matches.first))
    kept = np.ones(len(place), bool)
    for limit in (0.05, 0.02, 0.01):
        rows = np.flatnonzero(kept)
        if len(rows) < 2 * _FRIENDS:
            return kept
        _, near = cKDTree(place[rows]).query(place[rows], _FRIENDS + 1)
        usual = np.median(step[rows][near[:, 1:]], 1)
        far = np.hypot(*(step[rows] - usual).T)
        kept[rows] = far < limit * diagonal
    return kept


def _bent(points: np.ndarray, matches: Matches, stiff: float, score: float) -> Field:
    """The plate, worked out at the corners of cells and drawn smoothly between."""
    from scipy.interpolate import RBFInterpolator

    place, step = points[:, :2], points[:, 2:] - points[:, :2]
    _, alone = np.unique(np.rint(place), axis=0, return_index=True)
    alone = alone[np.linspace(0, len(alone) - 1, min(_KNOTS, len(alone))).astype(int)]
    rows, columns = matches.first
    unit = max(rows, columns) / 2
    plate = RBFInterpolator(place[alone] / unit, step[alone], smoothing=stiff * 1e-3, kernel="thin_plate_spline")
    down, across = -(-rows // _CELL) + 1, -(-columns // _CELL) + 1
    grid = np.stack(np.meshgrid(np.arange(across), np.arange(down)), -1).reshape(-1, 2) * (_CELL / unit)
    knots = plate(grid).reshape(down, across, 2).astype(np.float32)
    # cell corners lie at whole multiples; the middle of pixel i at (i + 1/2) / cell of them
    scale = 1 / _CELL
    move = np.array([[scale, 0, scale / 2], [0, scale, scale / 2]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    steps = cv2.warpAffine(knots, move, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Field(np.asarray(steps), matches.second, inside(steps, matches.second), score)
