"""Regions that are light or dark, by one level or by a level of their own at every place."""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.core.annotations import Regions
from sightline.core.asked import one_of, wholes, within
from sightline.finders._cut import lit, otsu_cut
from sightline.finders._light import byte_plane, unit_plane

NAMES = ("dark", "light")
_BINS = 256


def otsu(image: np.ndarray) -> Regions:
    """What is lighter than the level that parts the picture into two groups, each as even as can be (Otsu 1979)."""
    return Regions(otsu_cut(byte_plane(image, "otsu")).view(np.uint8), NAMES)


def threshold(image: np.ndarray, *, level: float = 0.5) -> Regions:
    """What is lighter than `level` of white."""
    within("threshold", 0.001, 1, level=level)
    return Regions(lit(image, "threshold", level, False).view(np.uint8), NAMES)


def adaptive(image: np.ndarray, *, radius: int = 17, offset: float = 0.02, kind: str = "gaussian") -> Regions:
    """What is lighter than the light around, less `offset`: a `gaussian` or plain `mean` over `radius` pixels."""
    import cv2

    wholes("adaptive", 1, 10_000, radius=radius)
    within("adaptive", -1, 1, offset=offset)
    one_of("adaptive", ("gaussian", "mean"), kind=kind)
    gray = unit_plane(image, "adaptive")
    side = 2 * radius + 1
    if kind == "mean":
        around = cv2.blur(gray, (side, side), borderType=cv2.BORDER_REFLECT)
    else:
        around = cv2.GaussianBlur(gray, (0, 0), (side - 1) / 6, borderType=cv2.BORDER_REFLECT)
    return Regions((gray > np.asarray(around).reshape(gray.shape) - np.float32(offset)).astype(np.uint8), NAMES)


def sauvola(image: np.ndarray, *, radius: int = 12, k: float = 0.2) -> Regions:
    """What is lighter than a level from the mean and the spread of light around, for writing on stained paper.

    The level is mean * (1 + k * (spread / half of white - 1)) over `radius` pixels (Sauvola and Pietikäinen 2000).
    """
    import cv2

    wholes("sauvola", 1, 10_000, radius=radius)
    within("sauvola", 0, 1, k=k)
    gray = unit_plane(image, "sauvola")
    side = (2 * radius + 1, 2 * radius + 1)
    mean = np.asarray(cv2.blur(gray, side, borderType=cv2.BORDER_REFLECT)).reshape(gray.shape)
    square = np.asarray(cv2.blur(gray * gray, side, borderType=cv2.BORDER_REFLECT)).reshape(gray.shape)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    level = mean * (1 + np.float32(k) * (spread / np.float32(0.5) - 1))
    return Regions((gray > level).astype(np.uint8), NAMES)


def multi_otsu(image: np.ndarray, *, classes: int = 3) -> Regions:
    """Two to five groups of light, each as even as can be (Liao et al. 2001)."""
    wholes("multi_otsu", 2, 5, classes=classes)
    import cv2

    light = byte_plane(image, "multi_otsu")
    counts = np.asarray(cv2.calcHist([light], [0], None, [_BINS], [0, _BINS]), np.float64).ravel()
    levels = _levels(counts / light.size, classes)
    names = np.searchsorted(np.array(levels), np.arange(_BINS), side="left").astype(np.uint8)
    made = np.asarray(cv2.LUT(light, names)).reshape(light.shape)
    return Regions(made, tuple(f"level {number}" for number in range(1, classes + 1)))


def _levels(shares: np.ndarray, classes: int) -> list[int]:
    """The last bin of each group but the last, by dynamic programming over all ways to part the bins."""
    weight = np.concatenate([[0], np.cumsum(shares)])
    light = np.concatenate([[0], np.cumsum(shares * np.arange(len(shares)))])
    mass = weight[None, :] - weight[:, None]  # of the bins from row to column
    even: Any = np.where(mass > 1e-12, (light[None, :] - light[:, None]) ** 2 / np.maximum(mass, 1e-12), 0)
    even = np.where(np.tri(len(weight), dtype=bool), -np.inf, even)
    best, cuts = even[0], []
    for _ in range(classes - 1):
        total = best[:, None] + even
        cuts.append(total.argmax(0))
        best = total.max(0)
    ends = [len(shares)]
    for cut in reversed(cuts):
        ends.append(int(cut[ends[-1]]))
    return [end - 1 for end in reversed(ends[1:])]
