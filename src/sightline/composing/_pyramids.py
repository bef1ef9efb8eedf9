"""Pictures as sums of ever coarser detail, so that each scale can be blended over its own width."""

from __future__ import annotations

import numpy as np


def depth_of(size: tuple[int, int], least: int = 8) -> int:
    """How often a picture can be halved until its shorter side is about `least`."""
    return max(0, int(np.log2(max(1, min(size) / least))))


def smaller(pixels: np.ndarray) -> np.ndarray:
    """Half the size."""
    import cv2

    made = np.asarray(cv2.pyrDown(pixels))
    return made if made.ndim == pixels.ndim else made[..., None]


def larger(pixels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Twice the size, or one less."""
    import cv2

    made = np.asarray(cv2.pyrUp(pixels, dstsize=(size[1], size[0])))
    return made if made.ndim == pixels.ndim else made[..., None]


def softer(weight: np.ndarray, depth: int) -> list[np.ndarray]:
    """A weight at every scale, the finest first."""
    made = [weight]
    for _ in range(depth):
        made.append(smaller(made[-1]))
    return made


def parted(pixels: np.ndarray, depth: int) -> list[np.ndarray]:
    """Detail at every scale, the finest first, and what is left."""
    made, here = [], pixels
    for _ in range(depth):
        coarse = smaller(here)
        made.append(here - larger(coarse, here.shape))
        here = coarse
    return [*made, here]


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """The picture of which these are the parts."""
    here = parts[-1]
    for part in parts[-2::-1]:
        here = part + larger(here, part.shape)
    return here
