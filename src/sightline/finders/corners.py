"""Corners: places where light changes in every direction."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.asked import wholes, within
from sightline.finders._found import points
from sightline.finders._light import byte_plane, plane, unit_plane

_STEP = 3  # pixels to each side that a place is refined in


def harris(
    image: np.ndarray, *, least: float = 0.01, apart: float = 5.0, count: int = 1000, block: int = 3, k: float = 0.04
) -> Objects:
    """Corners by Harris and Stephens (1988): the `count` best that are `apart` pixels, at least `least` of the best.

    Scores are shares of the best answer. Places are refined to parts of a pixel.
    """
    within("harris", 0.001, 0.25, k=k)
    return _tracked(image, "harris", least, apart, count, block, k)


def shi_tomasi(
    image: np.ndarray, *, least: float = 0.01, apart: float = 5.0, count: int = 1000, block: int = 3
) -> Objects:
    """Corners by the smaller of two eigenvalues, the good ones to track (Shi and Tomasi 1994); see `harris`."""
    return _tracked(image, "shi_tomasi", least, apart, count, block, 0.0)


def fast(image: np.ndarray, *, step: float = 0.08, count: int = 1000) -> Objects:
    """Corners that nine neighbours in a row on a ring agree on by `step` of white (Rosten and Drummond 2006).

    Scores are the largest step at which the place is still a corner.
    """
    import cv2

    within("fast", 0.004, 1, step=step)
    wholes("fast", 1, 1_000_000, count=count)
    light = byte_plane(image, "fast")
    if min(light.shape) < 7:
        return points(np.zeros((0, 2)), np.zeros(0), "corner")
    found = cv2.FastFeatureDetector_create(round(step * 255), True).detect(light)  # type: ignore[attr-defined]
    scores = np.array([one.response for one in found], np.float32) / 255
    places = np.array([one.pt for one in found], np.float32).reshape(-1, 2) + np.float32(0.5)
    best = np.argsort(-scores, kind="stable")[:count]
    return points(places[best], scores[best], "corner")


def _tracked(image: np.ndarray, what: str, least: float, apart: float, count: int, block: int, k: float) -> Objects:
    import cv2

    within(what, 1e-6, 1, least=least)
    within(what, 0, 1000, apart=apart)
    wholes(what, 1, 1_000_000, count=count)
    wholes(what, 2, 31, block=block)
    gray, black, _ = plane(image, what)
    if gray.dtype != np.uint8 or black:
        gray = unit_plane(image, what)
    made = cv2.goodFeaturesToTrackWithQuality(
        gray, count, least, apart, None, blockSize=block, gradientSize=3, useHarrisDetector=k > 0, k=k or 0.04
    )
    places, scores = (np.zeros(0, np.float32) if part is None else np.asarray(part, np.float32) for part in made[:2])
    places, scores = places.reshape(-1, 2), scores.ravel()
    if len(places) and min(gray.shape) > 2 * _STEP + 5:
        limits = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.01)
        places = np.asarray(cv2.cornerSubPix(gray, places.copy(), (_STEP, _STEP), (-1, -1), limits)).reshape(-1, 2)
    best = float(scores.max(initial=0.0))
    return points(places + np.float32(0.5), scores / max(best, 1e-12), "corner")
