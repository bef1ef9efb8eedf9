"""Edges: how steep light is at every pixel, and Canny's thin lines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sightline.core.annotations import Heatmap
from sightline.core.asked import one_of, within
from sightline.finders._canny import canny_edges, canny_stages
from sightline.finders._found import shows
from sightline.finders._light import plane

DIRECTIONS = ("any", "vertical", "horizontal")
_BAND = 2**16  # pixels of a band


def sobel(image: np.ndarray, *, direction: str = "any") -> Heatmap:
    """How steep light is, by Sobel's kernels: 1 is black beside white; `direction` keeps the edges that run that way.

    Only vertical edges are found with `direction=vertical`: light that changes from left to right.
    """
    return _steep(image, "sobel", direction, (1.0, 2.0, 1.0))


def prewitt(image: np.ndarray, *, direction: str = "any") -> Heatmap:
    """How steep light is, by Prewitt's kernels, which weigh three rows alike; see `sobel`."""
    return _steep(image, "prewitt", direction, (1.0, 1.0, 1.0))


def scharr(image: np.ndarray, *, direction: str = "any") -> Heatmap:
    """How steep light is, by Scharr's kernels, which turn with an edge most evenly; see `sobel`."""
    return _steep(image, "scharr", direction, (3.0, 10.0, 3.0))


def laplacian(image: np.ndarray, *, sigma: float = 0.0) -> Heatmap:
    """How much a pixel differs from the mean of its four neighbours, whatever the direction; `sigma` smooths before."""
    import cv2

    within("laplacian", 0, 100, sigma=sigma)
    gray, black, white = plane(image, "laplacian")
    if sigma:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)).reshape(gray.shape)
    made = cv2.Laplacian(gray, cv2.CV_32F, ksize=1, scale=0.25 / (white - black), borderType=cv2.BORDER_REFLECT)
    made, most, high = np.asarray(made, np.float32).reshape(gray.shape), 0.0, _rows(gray)
    for top in range(0, len(made), high):
        most = max(most, _most(np.abs(made[top : top + high], out=made[top : top + high])))
    return Heatmap(made, most)


@shows(canny_stages)
def canny(image: np.ndarray, *, sigma: float = 1.4, low: float = 0.0, high: float = 0.0) -> Heatmap:
    """Thin lines along the edges, 1 on a line and 0 elsewhere (Canny 1986).

    Light is smoothed by `sigma`; lines begin where it is steeper than `high` and go on where it is steeper than `low`
    (shares of black beside white, see `sobel`). A `high` of 0 is found by Otsu's method on the steepness of this
    picture, a `low` of 0 is half of `high`. `canny.stages(image)` gives the five stages as maps.
    """
    within("canny", 0, 100, sigma=sigma)
    within("canny", 0, 1, low=low, high=high)
    return _map(canny_edges(image, sigma, low, high))


def _steep(image: np.ndarray, what: str, direction: str, across: tuple[float, float, float]) -> Heatmap:
    import cv2

    one_of(what, DIRECTIONS, direction=direction)
    gray, black, white = plane(image, what)
    step, smooth = np.array([-1, 0, 1], np.float32), np.array(across, np.float32)
    scale = 1 / (sum(across) * (white - black))
    # whole numbers in the kernels: the sums are exact, in whatever order
    ways = {"vertical": (step, smooth), "horizontal": (smooth, step)}
    chosen = [kernels for name, kernels in ways.items() if direction in ("any", name)]

    def steep(part: np.ndarray, kept: slice, out: np.ndarray) -> None:
        made = [cv2.sepFilter2D(part, cv2.CV_32F, *kernels, borderType=cv2.BORDER_REFLECT) for kernels in chosen]
        found = [np.asarray(each).reshape(part.shape)[kept] for each in made]
        if len(found) == 2:
            _length(found[0], found[1], scale * scale / 2, out)
        else:
            np.multiply(np.abs(found[0], out=found[0]), np.float32(scale), out=out)

    return _banded(gray, steep)


def _length(first: np.ndarray, second: np.ndarray, scale: float, out: np.ndarray) -> None:
    """The root of the scaled sum of squares, in steps that round alike each time (cv2.magnitude does not)."""
    import cv2

    cv2.multiply(first, first, dst=first, scale=scale)
    cv2.multiply(second, second, dst=second, scale=scale)
    cv2.add(first, second, dst=first)
    cv2.sqrt(first, dst=out)


def _banded(gray: np.ndarray, change: Callable[[np.ndarray, slice, np.ndarray], None]) -> Heatmap:
    """A change that looks one row up and down, in bands of rows that stay near the processor until they are done."""
    rows, high = len(gray), _rows(gray)
    made, most = np.empty(gray.shape, np.float32), 0.0
    for top in range(0, rows, high):
        foot, above = min(rows, top + high), max(0, top - 1)
        out = made[top:foot]
        change(gray[above : min(rows, foot + 1)], slice(top - above, foot - above), out)
        most = max(most, _most(out))
    return Heatmap(made, most)


def _rows(gray: np.ndarray) -> int:
    """How many of its rows stay near the processor."""
    return max(8, _BAND // int(gray.shape[1]))


def _most(scores: np.ndarray) -> float:
    """The largest of numbers that are not below 0."""
    import cv2

    return float(cv2.norm(scores, cv2.NORM_INF))


def _map(scores: np.ndarray) -> Heatmap:
    return Heatmap(scores, _most(scores))
