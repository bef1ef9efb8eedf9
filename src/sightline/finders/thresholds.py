"""Regions that are light or dark."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Regions
from sightline.core.depth import LUMA, checked, unit


def otsu(image: np.ndarray) -> Regions:
    """What is lighter than the level that parts the picture into two groups, each as even as can be (Otsu 1979)."""
    pixels = unit(checked(image, what="otsu"))
    gray = pixels @ LUMA if pixels.shape[2] == 3 else pixels.mean(2)
    counts, edges = np.histogram(gray, 256, (0.0, 1.0))
    middles = (edges[1:] + edges[:-1]) / 2
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    low = np.cumsum(counts * middles) / np.maximum(below, 1)
    high = np.cumsum((counts * middles)[::-1])[::-1] / np.maximum(above, 1)
    best = int(np.argmax(below[:-1] * above[1:] * (low[:-1] - high[1:]) ** 2))
    return Regions((gray > middles[best]).astype(np.uint8), ("dark", "light"))
