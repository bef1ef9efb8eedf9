"""Canny's edges in one go, and in the five stages that they are made of."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Annotation, Heatmap
from sightline.finders._light import plane

_WHITE = 8191  # so that four steps of it, the steepest that Sobel's kernels answer, fit 16 bits
_LEAST = 0.02  # a picture without edges has none: light that is not steeper than this share of black beside white


def canny_edges(image: np.ndarray, sigma: float, low: float, high: float) -> np.ndarray:
    """Rows and columns, 1 on an edge."""
    import cv2

    smooth, top = _smoothed(image, sigma)
    if smooth.dtype == np.uint8 and high:
        steep, high = 4 * top, min(max(high, low), 1.0)
        low = min(low or high / 2, high)
        found = cv2.Canny(smooth, low * steep, high * steep, apertureSize=3, L2gradient=True)
    else:
        right, down = _slopes(smooth, top)
        low, high = _levels(right, down, low, high)
        found = cv2.Canny(right, down, low * 4 * _WHITE, high * 4 * _WHITE, L2gradient=True)
    return np.asarray(cv2.multiply(np.asarray(found), 1 / 255, dtype=cv2.CV_32F)).reshape(smooth.shape)


def canny_stages(
    image: np.ndarray, *, sigma: float = 1.4, low: float = 0.0, high: float = 0.0
) -> list[tuple[str, Annotation]]:
    """What each of the five stages leaves, as maps: smooth, steepness, thinned, two levels, joined (the answer)."""
    smooth, top = _smoothed(image, sigma)
    right, down = _slopes(smooth, top)
    least, most = _levels(right, down, low, high)
    steep = np.hypot(right.astype(np.float32), down.astype(np.float32)) / np.float32(4 * _WHITE)
    thin = _thinned(steep, right, down)
    sure = np.where(thin > most, np.float32(1), np.where(thin > least, np.float32(0.5), np.float32(0)))
    maps = {
        "smoothed": smooth.astype(np.float32) / np.float32(top),
        "steepness": steep,
        "thinned": thin,
        "sure and unsure": sure,
        "joined": canny_edges(image, sigma, low, high),
    }
    return [(name, Heatmap(found, float(found.max()))) for name, found in maps.items()]


def _smoothed(image: np.ndarray, sigma: float) -> tuple[np.ndarray, float]:
    """The plane after the bell, and its white; black is 0."""
    import cv2

    gray, black, white = plane(image, "canny")
    if black:
        gray = gray - np.float32(black)
    if sigma:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), sigma)).reshape(gray.shape)
    return gray, white - black


def _slopes(smooth: np.ndarray, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Sobel's answers in 16 bits, steps to the right and down."""
    import cv2

    scale = _WHITE / top
    made = [
        cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=scale, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    ]
    return (
        np.rint(np.asarray(made[0])).astype(np.int16).reshape(smooth.shape),
        np.rint(np.asarray(made[1])).astype(np.int16).reshape(smooth.shape),
    )


def _levels(right: np.ndarray, down: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The two levels; where `high` is 0, Otsu's on the steepness of all pixels that are not flat (Fang et al. 2009)."""
    if not high:
        steep = np.hypot(right.astype(np.float32), down.astype(np.float32)) / np.float32(4 * _WHITE)
        counts, edges = np.histogram(steep, 256, (_LEAST, max(float(steep.max()), 2 * _LEAST)))
        middles = (edges[1:] + edges[:-1]) / 2
        below, total = np.cumsum(counts), max(int(counts.sum()), 1)
        light = np.cumsum(counts * middles)
        apart = (light[-1] * below - total * light) ** 2 / np.maximum(below * (total - below), 1)
        high = float(middles[int(np.argmax(apart))])
    high = max(high, low)
    return low or high / 2, high


def _thinned(steep: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The steepness where neither neighbour across the edge is steeper, 0 elsewhere."""
    padded = np.pad(steep, 1)
    rows, columns = steep.shape

    def near(below: int, beside: int) -> np.ndarray:
        return padded[1 + below : 1 + below + rows, 1 + beside : 1 + beside + columns]

    across, along = np.abs(right.astype(np.int32)), np.abs(down.astype(np.int32))
    flat, tall = along * 2.414 < across, across * 2.414 < along
    same = (right >= 0) == (down >= 0)
    pairs = [((0, -1), (0, 1)), ((-1, 0), (1, 0)), ((-1, -1), (1, 1)), ((-1, 1), (1, -1))]
    keeps = [(steep > near(*one)) & (steep >= near(*other)) for one, other in pairs]
    kept = np.where(flat, keeps[0], np.where(tall, keeps[1], np.where(same, keeps[2], keeps[3])))
    return np.where(kept, steep, np.float32(0))
