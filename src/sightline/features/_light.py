"""How features see light: every depth from 0 to 1, and one channel where they look at form alone."""

from __future__ import annotations

import numpy as np

_TOP = 65535
_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def level(image: np.ndarray) -> np.ndarray:
    """Rows, columns, channels as float32 from 0 to (nearly) 1, the same to the bit for 8 and 16 bits of one picture.

    Steps are 2**-16, so that differences are exact and equal pixels stay equal whatever the depth.
    """
    image = image[..., None] if image.ndim == 2 else image
    if image.dtype.kind == "f":
        return np.asarray(image * np.float32(_TOP / 2**16), np.float32)
    return np.asarray(image * np.float32(_TOP // np.iinfo(image.dtype).max / 2**16), np.float32)


def gray(image: np.ndarray) -> np.ndarray:
    """Rows and columns: the luma of three channels, else their mean."""
    shown = level(image)
    if shown.shape[-1] == 1:
        return shown[..., 0]
    return np.asarray(shown @ _WEIGHTS if shown.shape[-1] == 3 else shown.mean(-1), np.float32)


def resized(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Another size: smooth where it shrinks, linear where it grows; the number of axes is kept."""
    import cv2

    if image.shape[:2] == (rows, columns):
        return image
    shrinks = rows * columns < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    if image.ndim == 3 and image.shape[2] > 4:  # OpenCV shrinks four channels at a time
        return np.concatenate(
            [resized(image[..., at : at + 4], rows, columns) for at in range(0, image.shape[2], 4)], 2
        )
    made = cv2.resize(np.ascontiguousarray(image), (columns, rows), interpolation=method)
    return np.asarray(made.reshape(rows, columns, *image.shape[2:]))


def whole(side: int, parts: int, least: int = 2) -> int:
    """The side nearest to this one that `parts` divide, with `least` pixels a part."""
    return parts * max(least, round(side / parts))
