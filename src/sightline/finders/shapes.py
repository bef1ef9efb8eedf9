"""Shapes: connected parts of what is light (or dark), their outlines and measures, polygons and blobs."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.asked import one_of, wholes, within
from sightline.core.shapes import measures
from sightline.finders._cut import lit
from sightline.finders._found import rounds
from sightline.finders._light import unit_plane
from sightline.finders._runs import Parts, parts_of

SHADES = ("light", "dark", "any")
POLYGONS = ("triangle", "quadrilateral", "pentagon", "hexagon", "heptagon", "octagon", "round")


def components(
    image: np.ndarray, *, level: float = 0.0, dark: bool = False, least: int = 1, most: int = 0, corners: bool = True
) -> Objects:
    """Connected parts of what is lighter than `level` (0: Otsu's), or darker with `dark`.

    Parts have from `least` to `most` pixels (0: any number); with `corners` pixels that touch at a corner are together.
    Each has its box, its middle as a keypoint, and its area in `details`.
    """
    parts, rows = _parts(image, "components", level, dark, least, most, corners)
    middles = parts.middles[rows] + 0.5
    marks = np.concatenate([middles, np.full((len(rows), 1), 2.0)], 1)[:, None].astype(np.float32)
    details = tuple({"area": area} for area in parts.areas[rows].tolist())
    return Objects(
        parts.boxes[rows].astype(np.float32), np.zeros(len(rows), np.int64), ("part",), keypoints=marks, details=details
    )


def contours(
    image: np.ndarray, *, level: float = 0.0, dark: bool = False, least: int = 16, most: int = 0, tolerance: float = 2.0
) -> Objects:
    """The outlines of connected parts, holes too, with measures of their shape in `details`.

    Area, perimeter, circularity, solidity, extent, eccentricity, axes, orientation, Hu's moments, and the polygon that
    is nowhere farther than `tolerance` pixels from the outer ring. Outlines run along the edges of pixels: filled, they
    are the part again. For `level`, `dark`, `least` and `most` see `components`.
    """
    within("contours", 0.1, 1000, tolerance=tolerance)
    parts, rows = _parts(image, "contours", level, dark, least, most, True)
    outlines, details = [], []
    for row in rows.tolist():
        mask = parts.mask(row)
        corner = parts.boxes[row, :2].astype(np.float32)
        rings = tuple(ring + corner for ring in geometry.trace(mask))
        ring = _simple(_outer(rings), tolerance)
        outlines.append(rings)
        details.append({**measures(mask), "polygon": np.round(ring, 2).tolist()})
    return Objects(
        parts.boxes[rows].astype(np.float32), np.zeros(len(rows), np.int64), ("shape",), outlines=tuple(outlines),
        details=tuple(details),
    )  # fmt: skip


def polygons(
    image: np.ndarray, *, level: float = 0.0, dark: bool = False, least: int = 64, tolerance: float = 0.03
) -> Objects:
    """Connected parts named by their corners: triangle to octagon, and round where there are more.

    A polygon may be `tolerance` of the perimeter away from the outline; the score is how much of the two is shared.
    """
    within("polygons", 0.001, 0.2, tolerance=tolerance)
    parts, rows = _parts(image, "polygons", level, dark, least, 0, True)
    outlines, classes, scores = [], [], []
    for row in rows.tolist():
        mask = parts.mask(row)
        outer = _outer(geometry.trace(mask))
        ring = _simple(outer, max(1.5, tolerance * float(measures(mask)["perimeter"])))
        if len(ring) < 3:
            ring = outer
        drawn = geometry.fill((ring,), mask.shape)
        whole_part = geometry.fill((outer,), mask.shape)
        shared = int((drawn & whole_part).sum()) / max(1, int((drawn | whole_part).sum()))
        classes.append(min(len(ring), len(POLYGONS) + 2) - 3)
        outlines.append((ring + parts.boxes[row, :2].astype(np.float32),))
        scores.append(shared)
    return Objects(
        parts.boxes[rows].astype(np.float32), np.array(classes, np.int64), POLYGONS, np.array(scores, np.float32),
        outlines=tuple(outlines),
    )  # fmt: skip


def blobs(
    image: np.ndarray,
    *,
    smallest: float = 3.0,
    largest: float = 40.0,
    steps: int = 10,
    least: float = 0.1,
    shade: str = "any",
    method: str = "log",
    overlap: float = 0.5,
) -> Objects:
    """Round spots with radii from `smallest` to `largest` pixels, by the Laplacian of bells (Lindeberg 1998).

    `method=dog` takes the difference of two bells instead. The score is the answer at the spot's own size, near 0.7 for
    a disc of white on black; of spots that share more than `overlap` of the smaller one the better is kept.
    """
    one_of("blobs", SHADES, shade=shade)
    one_of("blobs", ("log", "dog"), method=method)
    within("blobs", 1, 10_000, smallest=smallest, largest=largest)
    within("blobs", 0, 1, overlap=overlap)
    within("blobs", 0.001, 1, least=least)
    wholes("blobs", 1, 50, steps=steps)
    gray = unit_plane(image, "blobs")
    sigmas = np.geomspace(smallest, max(smallest, largest), steps) / np.sqrt(2)
    stack = [_answer(gray, float(sigma), method, shade) for sigma in sigmas]
    found = _spots(stack, sigmas, least)
    found = found[np.argsort(-found[:, 3], kind="stable")]
    kept = _apart(found, overlap)
    return rounds(found[kept, :3], np.minimum(found[kept, 3], 1), "blob")


def _parts(
    image: np.ndarray, what: str, level: float, dark: bool, least: int, most: int, corners: bool
) -> tuple[Parts, np.ndarray]:
    within(what, 0, 1, level=level)
    wholes(what, 0, 10**9, least=least, most=most)
    parts = parts_of(lit(image, what, level, dark), corners)
    return parts, np.flatnonzero((parts.areas >= least) & ((parts.areas <= most) | (most == 0)))


def _outer(rings: tuple[np.ndarray, ...]) -> np.ndarray:
    """The ring that goes around the others."""
    return max(rings, key=lambda ring: float(np.ptp(ring[:, 0])) * float(np.ptp(ring[:, 1])))


def _simple(ring: np.ndarray, tolerance: float) -> np.ndarray:
    """The polygon with few corners that stays near a ring (Douglas and Peucker 1973)."""
    import cv2

    return np.asarray(cv2.approxPolyDP(ring.astype(np.float32), tolerance, True), np.float32).reshape(-1, 2)


def _answer(gray: np.ndarray, sigma: float, method: str, shade: str) -> np.ndarray:
    """How much a spot of this size stands out, from 0 to about 1."""
    import cv2

    def bell(width: float) -> np.ndarray:
        return np.asarray(cv2.GaussianBlur(gray, (0, 0), width, borderType=cv2.BORDER_REFLECT)).reshape(gray.shape)

    if method == "dog":
        made = (bell(sigma) - bell(1.6 * sigma)) / np.float32(0.6)
    else:
        made = np.asarray(cv2.Laplacian(bell(sigma), cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REFLECT))
        made = made.reshape(gray.shape) * np.float32(-sigma * sigma)
    return np.asarray(np.abs(made) if shade == "any" else made if shade == "light" else -made)


def _spots(stack: list[np.ndarray], sigmas: np.ndarray, least: float) -> np.ndarray:
    """(n, 4) x, y, radius and answer of places that answer more than all around and than other sizes."""
    import cv2

    tops = [np.asarray(cv2.dilate(made, np.ones((3, 3), np.uint8))).reshape(made.shape) for made in stack]
    found: list[Any] = []
    for place, made in enumerate(stack):
        best = (made >= tops[place]) & (made >= least)
        for other in (place - 1, place + 1):
            if 0 <= other < len(stack):
                best &= made > tops[other]
        y, x = np.nonzero(best)
        found.append(np.stack([x + 0.5, y + 0.5, np.full(len(x), sigmas[place] * np.sqrt(2)), made[y, x]], 1))
    return np.concatenate(found)


def _apart(found: np.ndarray, overlap: float) -> list[int]:
    """Rows, best first, that share little with better ones."""
    kept: list[int] = []
    for row in range(len(found)):
        away = np.hypot(*(found[kept, :2] - found[row, :2]).T)
        if not (_shared(away, found[kept, 2], found[row, 2]) > overlap).any():
            kept.append(row)
    return kept


def _shared(away: np.ndarray, radii: np.ndarray, radius: float) -> np.ndarray:
    """Of the smaller of two discs the share that the other covers."""
    small, large = np.minimum(radii, radius), np.maximum(radii, radius)
    safe = np.maximum(away, 1e-9)
    one = np.arccos(np.clip((safe**2 + small**2 - large**2) / (2 * safe * small), -1, 1))
    two = np.arccos(np.clip((safe**2 + large**2 - small**2) / (2 * safe * large), -1, 1))
    four = (-safe + small + large) * (safe + small - large) * (safe - small + large) * (safe + small + large)
    lens = small**2 * one + large**2 * two - 0.5 * np.sqrt(np.maximum(four, 0))
    return np.asarray(np.where(away >= small + large, 0, np.where(away <= large - small, 1, lens / (np.pi * small**2))))
