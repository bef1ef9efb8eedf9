"""Circles, and how well each matches what is seen of its rim."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.asked import one_of, wholes, within
from sightline.core.errors import SettingsError
from sightline.finders._bed import Bed
from sightline.finders._found import rounds
from sightline.finders._light import unit_plane
from sightline.finders._rims import ANGLES, compass, fitted, least_step, look, reach_of, seams
from sightline.finders._votes import Slopes, candidates, copies

SHADES = {"any": (1, -1), "light": (1,), "dark": (-1,)}


def circles(
    image: np.ndarray,
    *,
    least: float = 0.95,
    smallest: float = 0.0,
    largest: float = 0.0,
    shade: str = "any",
    visible: float = 0.3,
    tolerance: float = 0.15,
    nested: bool = False,
) -> Objects:
    """Circles whose rims match by at least `least`, each with its matching score from 0 to 1.

    The score is the share of the rim where light steps the right way within `tolerance` radii of it: along the rim, the
    same way all around, by a twentieth of the light around and more than noise does. What lies beyond the picture or is
    hidden by another circle is not counted, if `visible` of the rim and 35 pixels more remain; before another circle a
    rim may also be darker or a seam. An edge counts for one circle only. Radii go from `smallest` to `largest` pixels
    (0: a fortieth and a quarter of the shorter side); `shade` keeps circles that are lighter or darker than around;
    circles within circles are left out unless `nested`.
    """
    within("circles", 0.3, 1, least=least)
    within("circles", 0.05, 1, visible=visible)
    within("circles", 0.01, 0.3, tolerance=tolerance)
    bed = _bed(image, "circles", smallest, largest, shade, tolerance)
    if bed is None:
        return rounds(np.zeros((0, 3)), np.zeros(0), "circle")
    bed.settle(visible, nested)
    rows = np.array(bed.settled, np.int64)
    scores, shares = bed.matching(rows, bed.settled)
    best = np.argsort(-scores, kind="stable")
    best = best[(scores >= least)[best] & (shares >= bed.enough(visible)[rows])[best]]
    details = tuple({"visible": round(share, 3)} for share in shares[best].tolist())
    return rounds(bed.circles[rows[best], :3], scores[best], "circle", details)


def hough_circles(
    image: np.ndarray,
    *,
    least: float = 0.5,
    smallest: float = 0.0,
    largest: float = 0.0,
    shade: str = "any",
    apart: float = 0.0,
    count: int = 1000,
) -> Objects:
    """Circles by the votes of edges along their directions (Hough's transform), measured again at full size.

    Scores are the share of the whole rim that shows an edge. Middles are at least `apart` pixels from each other
    (0: half the radius); for overlapping things and a score that allows for it see `circles`.
    """
    within("hough_circles", 0.05, 1, least=least)
    within("hough_circles", 0, 100_000, apart=apart)
    wholes("hough_circles", 1, 100_000, count=count)
    bed = _bed(image, "hough_circles", smallest, largest, shade, 0.1)
    if bed is None:
        return rounds(np.zeros((0, 3)), np.zeros(0), "circle")
    scores = bed.support.sum(1) / ANGLES
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] < least or len(kept) == count:
            break
        away = np.hypot(*(bed.circles[kept, :2] - bed.circles[row, :2]).T)
        if (away >= (apart or 0.5 * np.maximum(bed.circles[kept, 2], bed.circles[row, 2]))).all():
            kept.append(row)
    return rounds(bed.circles[kept, :3], scores[kept], "circle")


def _bed(image: np.ndarray, what: str, smallest: float, largest: float, shade: str, tolerance: float) -> Bed | None:
    """Everything that may be a circle, measured at full size; None where there is nothing to look at."""
    one_of(what, tuple(SHADES), shade=shade)
    within(what, 0, 100_000, smallest=smallest, largest=largest)
    gray = unit_plane(image, what)
    low, high = _radii(what, min(gray.shape), smallest, largest)
    if min(gray.shape) < 8:
        return None
    small, full = copies(gray, low, high)
    found = candidates(small, low, high, SHADES[shade])
    if not len(found):
        return None
    wide = np.maximum(2.5 * small.factor, 0.12 * found[:, 2])
    found = _unlike(fitted(small, found, wide, 2, 48))
    found = found[(found[:, 2] >= 0.9 * low) & (found[:, 2] <= 1.1 * high)]
    for share in (0.1, 0.07):
        found = _unlike(fitted(full, found, np.maximum(1.8, share * found[:, 2]), 1, 72))
    found = found[(found[:, 2] >= low) & (found[:, 2] <= high)]
    if not len(found):
        return None
    return _measured(full, found, tolerance)


def _radii(what: str, side: int, smallest: float, largest: float) -> tuple[float, float]:
    low = smallest or max(4.0, side / 40)
    high = largest or max(low, side / 4)
    if low > high:
        raise SettingsError(f"{what}: smallest = {low:g} is more than largest = {high:g}; radii are in pixels.")
    if low < 2:
        raise SettingsError(f"{what}: smallest = {smallest:g}: circles of less than 2 pixels are not told from dots.")
    return low, high


def _measured(slopes: Slopes, found: np.ndarray, tolerance: float) -> Bed:
    """Where along each rim light steps the right way, and where the other way, and what is in the picture."""
    places = found[:, None, :2] + found[:, None, 2:3] * compass(ANGLES)[None]
    size = np.array(slopes.size[::-1]) - 2
    turned = found * np.array([1, 1, 1, -1], np.float32)
    reach = reach_of(found[:, 2], tolerance)
    seam = seams(slopes, found, reach) > 0.6 * least_step(slopes, reach)[:, None]
    inside = ((places > 2) & (places < size)).all(2)
    return Bed(found, _shown(slopes, found, reach), _shown(slopes, turned, reach) | seam, inside, tolerance)


def _shown(slopes: Slopes, found: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Whether the step, evened out over three places, is large enough; a lone gap or a lone step is not believed."""
    steps, _ = look(slopes, found, reach, ANGLES)
    steps = (np.roll(steps, 1, 1) + steps + np.roll(steps, -1, 1)) / np.float32(3)
    shown = (steps >= least_step(slopes, reach)[:, None]).astype(np.int8)
    return np.asarray(shown + np.roll(shown, 1, 1) + np.roll(shown, -1, 1) >= 2)


def _unlike(found: np.ndarray) -> np.ndarray:
    """One of each lot of circles that have come to the same place."""
    kept: list[int] = []
    for row in range(len(found)):
        near = np.abs(found[kept, :3] - found[row, :3]).max(1, initial=0) if kept else np.zeros(0)
        twin = (near < np.maximum(1.0, 0.03 * found[row, 2])) & (found[kept, 3] == found[row, 3]) if kept else near
        if not np.any(twin):
            kept.append(row)
    return found[kept]
