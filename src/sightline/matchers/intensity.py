"""A move by the light of the whole picture, without places that stand out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.core.asked import word
from sightline.core.relation import MOVES, Move, centred, edged
from sightline.matchers import _mutual
from sightline.matchers._climb import Level, climb, gradients, pyramid
from sightline.matchers._light import floats, nothing
from sightline.matchers._waves import shift_of, turn_of

WAYS = ("correlation", "mutual")
_LEAST = 0.1  # of the first picture that must be covered
_CHANCE, _CLEAR = 1.2, 2.5  # times the peak of chance: a shift worth trying, and one that needs no other
_GOOD, _FAIR = 0.9, 0.6  # agreement at which no other start is tried


def intensity(
    first: np.ndarray,
    second: np.ndarray,
    *,
    kind: str = "affine",
    light: str = "correlation",
    start: Move | None = None,
) -> Move:
    """The move under which light agrees best, coarse to fine from `start` (where none is given, from the best shift).

    `light` correlation holds for light that differs in gain and level; mutual for pictures of different senses, in
    which dark may be light and light may be anything that goes with it.
    `kind`: shift, similarity, affine or homography.
    """
    word("intensity", "kind", kind, MOVES)
    word("intensity", "light", light, WAYS)
    one, two = floats(first, second, "intensity")
    sizes = (int(one.shape[0]), int(one.shape[1])), (int(two.shape[0]), int(two.shape[1]))
    levels, way = pyramid(one, two), _mutual.climb if light == "mutual" else climb
    middle = levels[max(0, len(levels) - 3)]  # grain is gone there, and places are not
    starts = _starts(middle, light) if start is None else iter([(centred(np.linalg.inv(start.matrix)), 0.0)])
    found, agree, share = np.eye(3), 0.0, 0.0
    for matrix, enough in starts:
        tried = way(levels, matrix, kind)
        if tried[1] > agree:
            found, agree, share = tried
        if agree > enough:
            break
    if share < _LEAST or not np.isfinite(found).all() or not 0.02 < abs(np.linalg.det(found[:2, :2])) < 50:
        raise nothing("intensity", "no move lays enough of one picture on the other. Give a `start` that is nearer")
    return Move(edged(np.linalg.inv(found)), kind, *sizes, float(min(1.0, max(0.0, agree))))


def _starts(level: Level, light: str) -> Iterator[tuple[np.ndarray, float]]:
    """The best shift; as they lie; the best turn and scale: of light, or of edges where light may be the other way.

    Each with the agreement at which no other need be tried.
    """
    one, two = level.first, level.second
    if light == "mutual":
        one, two = (np.hypot(*gradients(each)) for each in (one, two))
    (x, y), peak = shift_of(one, two)
    if peak > _CHANCE:
        yield level.up(np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])), _GOOD if peak < _CLEAR else _FAIR
    yield np.eye(3), _GOOD
    yield level.up(turn_of(one, two)[0]), _GOOD
