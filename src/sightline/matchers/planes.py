"""One move of a flat scene, or of a camera that only turns, from places that look alike."""

from __future__ import annotations

import numpy as np

from sightline.core.asked import number, word
from sightline.core.relation import Move
from sightline.matchers._agreeing import fitted, refined
from sightline.matchers._light import levels
from sightline.matchers._places import paired


def homography(
    first: np.ndarray,
    second: np.ndarray,
    *,
    places: str = "sift",
    within: float = 2.0,
    most: int = 4000,
    ratio: float = 0.8,
    fine: bool = True,
) -> Move:
    """A move with perspective that most places agree with (MAGSAC++), then the best one for all that do.

    `within`: pixels by which an agreeing place may miss. `places`, `most` and `ratio` are those of `points`. `fine`
    goes on to a twentieth of a pixel by the light of all that both show, as far as the places still agree.
    """
    number("homography", "within", within, 0.1, 100)
    lit = levels(first, second, "homography")
    matches = paired(*lit, "homography", by=places, most=most, ratio=ratio)
    found = fitted(matches, "homography", within, "homography")
    return refined(found, *lit, within) if fine else found


def affine(
    first: np.ndarray,
    second: np.ndarray,
    *,
    kind: str = "affine",
    places: str = "sift",
    within: float = 2.0,
    most: int = 4000,
    ratio: float = 0.8,
    fine: bool = True,
) -> Move:
    """A move without perspective that most places agree with; `kind` affine, similarity or shift.

    A similarity turns, scales all sides alike and shifts. The other settings are those of `homography`.
    """
    number("affine", "within", within, 0.1, 100)
    word("affine", "kind", kind, ("shift", "similarity", "affine"))
    lit = levels(first, second, "affine")
    matches = paired(*lit, "affine", by=places, most=most, ratio=ratio)
    found = fitted(matches, kind, within, "affine")
    return refined(found, *lit, within) if fine else found
