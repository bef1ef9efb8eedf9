"""What a wide lens shows of what is not in focus."""

from __future__ import annotations

import numpy as np

from sightline.filters._kernels import kernel_of
from sightline.filters._planes import each_of

LEVELS = (0.25, 0.5, 1.0)  # of the widest blur: what lies between two is mixed of both
_SHARP = 0.5  # pixels of radius below which a blur is none


def out_of_focus(values: np.ndarray, far: np.ndarray, radius: float, amount: np.ndarray | None = None) -> np.ndarray:
    """Values of 0 to 1 whose parts that are `far` (0 to 1) are blurred by discs, wider by `amount` of each pixel.

    Only what is far is blurred, so that the colours of what is near do not run into it; small lights become discs.
    """
    ground = _ground(values, far, radius) if amount is None else _graded(values, far, radius, np.clip(amount, 0, 1))
    made: np.ndarray = values + far[..., None] * (ground - values)
    return made


def _graded(values: np.ndarray, far: np.ndarray, radius: float, amount: np.ndarray) -> np.ndarray:
    """Between a few blurs, each pixel by its amount."""
    below, made, before = 0.0, values.copy(), values
    for level in LEVELS:
        here = before if level * radius < _SHARP else _ground(values, far, level * radius)
        share = np.clip((amount - below) / (level - below), 0, 1)[..., None]
        made += share * (here - before)
        below, before = level, here
    return made


def _ground(values: np.ndarray, far: np.ndarray, radius: float) -> np.ndarray:
    import cv2

    lens = kernel_of("portrait", "disc", radius, 0.0)

    def blurred(part: np.ndarray) -> np.ndarray:
        return each_of(
            part, lambda plane: np.asarray(cv2.filter2D(plane, cv2.CV_32F, lens, borderType=cv2.BORDER_REFLECT))
        )

    light = 1 + 3 * (values > 0.9).astype(np.float32)
    blur, weight = blurred(values * far[..., None] * light), blurred(far[..., None] * light)
    return np.where(weight > 1e-3, blur / np.maximum(weight, np.float32(1e-3)), values)
