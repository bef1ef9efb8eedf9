"""Places that look alike."""

from __future__ import annotations

import numpy as np

from sightline.core.asked import number
from sightline.core.relation import Matches
from sightline.matchers._light import levels
from sightline.matchers._places import paired


def points(
    first: np.ndarray,
    second: np.ndarray,
    *,
    places: str = "sift",
    most: int = 4000,
    ratio: float = 0.8,
    mutual: bool = True,
) -> Matches:
    """Corners and blobs of both pictures that are each other's nearest, and nearer than any other (Lowe 2004).

    `places`: sift or orb (faster, less sure), at most `most` a picture. A pair counts if its distance is below `ratio`
    of that to the next best, and, where `mutual`, if each of the two chooses the other.
    """
    number("points", "ratio", ratio, 0.1, 1.0)
    number("points", "most", most, 8, 100_000)
    return paired(*levels(first, second, "points"), "points", by=places, most=most, ratio=ratio, mutual=mutual)
