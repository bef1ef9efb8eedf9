"""Lines, whole or in parts, by the votes of edges."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.asked import wholes, within
from sightline.finders._canny import canny_edges
from sightline.finders._found import lines
from sightline.finders._light import byte_plane

_SAMPLES = 64  # places along a segment that are looked at


def hough_lines(
    image: np.ndarray, *, least: int = 100, step: float = 1.0, turn: float = 1.0, count: int = 100, edges: bool = False
) -> Objects:
    """Lines across the picture that at least `least` edge pixels lie on (Hough 1962), the best first.

    Lines are told apart by `step` pixels and `turn` degrees. Edges are Canny's; with `edges` the picture is itself a
    map of edges, and what is lighter than half is one. The ends are where a line leaves the picture, a score is the
    share of its pixels that are edges, `details` hold its distance from the top left corner, its angle and its votes.
    """
    import cv2

    within("hough_lines", 0.1, 100, step=step)
    within("hough_lines", 0.05, 45, turn=turn)
    wholes("hough_lines", 1, 1_000_000, least=least, count=count)
    drawn = _edges(image, "hough_lines", edges)
    made = cv2.HoughLinesWithAccumulator(drawn, step, np.deg2rad(turn), least)
    found = np.zeros((0, 3)) if made is None else np.asarray(made, np.float64).reshape(-1, 3)
    found = found[np.argsort(-found[:, 2], kind="stable")][:count]
    ends = _across(found[:, 0], found[:, 1], drawn.shape[:2])
    length = np.maximum(np.abs(ends[:, 2:] - ends[:, :2]).max(1, initial=0) if len(ends) else np.zeros(0), 1)
    record = lines(ends + 0.5, np.minimum(found[:, 2] / length, 1), "line")
    details = tuple(
        {"distance": round(away, 3), "angle": round(angle, 5), "votes": int(votes)}
        for away, angle, votes in found.tolist()
    )
    return Objects(
        record.boxes, record.classes, record.names, record.scores, keypoints=record.keypoints,
        outlines=record.outlines, details=details,
    )  # fmt: skip


def line_segments(
    image: np.ndarray, *, least: int = 40, length: float = 20.0, gap: float = 4.0, edges: bool = False
) -> Objects:
    """Segments at least `length` pixels long on lines with `least` votes, over gaps of up to `gap` pixels.

    The probabilistic Hough transform (Matas et al. 2000), with chance that is the same each time. A score is the share
    of the segment that runs along edges, up to a pixel beside.
    """
    import cv2

    within("line_segments", 1, 100_000, length=length)
    within("line_segments", 0, 10_000, gap=gap)
    wholes("line_segments", 1, 1_000_000, least=least)
    drawn = _edges(image, "line_segments", edges)
    made = cv2.HoughLinesP(drawn, 1, np.pi / 180, least, minLineLength=length, maxLineGap=gap)
    ends = np.zeros((0, 4)) if made is None else np.asarray(made, np.float64).reshape(-1, 4)
    wide = np.asarray(cv2.dilate(drawn, np.ones((3, 3), np.uint8))).reshape(drawn.shape) > 0
    along = np.linspace(0, 1, _SAMPLES)
    x = np.rint(ends[:, :1] + (ends[:, 2:3] - ends[:, :1]) * along).astype(np.int64)
    y = np.rint(ends[:, 1:2] + (ends[:, 3:] - ends[:, 1:2]) * along).astype(np.int64)
    scores = wide[y, x].mean(1) if len(ends) else np.zeros(0)
    far = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    best = np.argsort(-far, kind="stable")
    return lines(ends[best] + 0.5, scores[best], "segment")


def _edges(image: np.ndarray, what: str, given: bool) -> np.ndarray:
    """Edges as 255 in bytes."""
    if given:
        return np.asarray((byte_plane(image, what) > 127) * np.uint8(255), np.uint8)
    return (canny_edges(image, 1.4, 0.0, 0.0) * 255).astype(np.uint8)


def _across(away: np.ndarray, angle: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where lines x cos + y sin = away cross the rim of the picture: (n, 4) x0 y0 x1 y1."""
    rows, columns = size
    cos, sin = np.cos(angle), np.sin(angle)
    steep = np.abs(cos) > np.abs(sin)  # nearer to upright: cross the top and the bottom
    over, under = np.where(steep, cos, 1), np.where(steep, 1, sin)
    ends = []
    for low, high in ((0.0, 0.0), (rows - 1.0, columns - 1.0)):
        x = np.where(steep, (away - low * sin) / over, high)
        y = np.where(steep, low, (away - high * cos) / under)
        ends.append((x, y))
    made = np.stack([*ends[0], *ends[1]], 1) if len(away) else np.zeros((0, 4))
    return _cut_off(made, columns - 1.0, rows - 1.0)


def _cut_off(ends: np.ndarray, wide: float, tall: float) -> np.ndarray:
    """Segments cut to a picture (Liang and Barsky 1984)."""
    start, step = ends[:, :2], ends[:, 2:] - ends[:, :2]
    first, last = np.zeros(len(ends)), np.ones(len(ends))
    for axis, limit in ((0, wide), (1, tall)):
        moves = np.abs(step[:, axis]) > 1e-12
        safe = np.where(moves, step[:, axis], 1)
        one, two = -start[:, axis] / safe, (limit - start[:, axis]) / safe
        first = np.where(moves, np.maximum(first, np.minimum(one, two)), first)
        last = np.where(moves, np.minimum(last, np.maximum(one, two)), last)
    last = np.maximum(first, last)
    return np.concatenate([start + step * first[:, None], start + step * last[:, None]], 1)
