"""What is true of a picture of which a part is hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Objects


def hide(truth: Annotation | None, cover: np.ndarray, least: float) -> Annotation | None:
    """Covered keypoints become hidden; things of which less than `least` can be seen are dropped; masks stay whole."""
    if not isinstance(truth, Objects) or not len(truth):
        return truth
    boxes = truth.boxes if truth.boxes.shape[1] == 4 else geometry.upright(truth.boxes)
    sums = np.pad(cover, ((1, 0), (1, 0))).cumsum(0, np.int64).cumsum(1)
    rows, columns = cover.shape
    x0, x1 = (np.rint(boxes[:, side]).clip(0, columns).astype(int) for side in (0, 2))
    y0, y1 = (np.rint(boxes[:, side]).clip(0, rows).astype(int) for side in (1, 3))
    hidden = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
    seen = 1 - hidden / np.maximum((x1 - x0) * (y1 - y0), 1)
    if truth.keypoints is not None:
        points = np.array(truth.keypoints)
        x = points[..., 0].astype(int).clip(0, columns - 1)
        y = points[..., 1].astype(int).clip(0, rows - 1)
        points[..., 2] = np.where(cover[y, x], np.minimum(points[..., 2], 1), points[..., 2])
        truth = replace(truth, keypoints=points)
    return truth if (seen >= least).all() else truth.take(seen >= least)
