"""Where an enhanced picture shows what was not measured: a map from 0, as it was, to 1, invented."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Heatmap
from sightline.core.bicubic import bicubic, smaller
from sightline.enhancing.weights import unit_like

SURE = 4.0  # times the noise of the input: a change as large as this is beyond what its noise explains
_AROUND = 1.5  # pixels over which a change is judged


def honesty(
    before: np.ndarray, after: np.ndarray, noise: float, scale: int = 1, missing: np.ndarray | None = None
) -> Heatmap:
    """The local change relative to the input's own `noise` (of 0..1); 1 where filled or beyond its resolution.

    `before` has the size of `after`: where the picture was enlarged it is the smooth enlargement, and what `after`
    shows beyond the resolution of the input counts as invented however small the change is.
    """
    import cv2

    floor = max(noise, 1 / 255)
    apart = _unlike(before, after)
    if scale > 1:
        coarse = bicubic(smaller(after, scale), (after.shape[0], after.shape[1]))
        apart = np.maximum(apart, _unlike(coarse, after))
    apart *= apart
    soft = np.sqrt(cv2.GaussianBlur(apart, (0, 0), _AROUND * scale).reshape(apart.shape))
    scores = np.clip(soft / np.float32(SURE * floor), 0, 1)
    if missing is not None:
        scores[missing] = 1
    return Heatmap(scores, float(scores.mean()))


def _unlike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far two pictures lie apart at each pixel, as the mean over channels in 0..1, a band at a time."""
    made = np.empty(other.shape[:2], np.float32)
    for top in range(0, len(other), 256):
        rows = slice(top, top + 256)
        np.abs(unit_like(other[rows], other) - unit_like(one[rows], one)).mean(2, out=made[rows])
    return made
