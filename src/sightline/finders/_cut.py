"""What is light and what is dark: the cut that shapes are found in."""

from __future__ import annotations

import numpy as np

from sightline.finders._light import byte_plane, plane


def lit(image: np.ndarray, what: str, level: float, dark: bool) -> np.ndarray:
    """Where a picture is lighter than `level` (0: Otsu's), or with `dark` where it is not."""
    if level:
        gray, black, white = plane(image, what)
        cut = black + level * (white - black)
        if gray.dtype == np.uint8:
            import cv2

            _, made = cv2.threshold(gray, np.floor(cut), 1, cv2.THRESH_BINARY)
            light = np.asarray(made).reshape(gray.shape).view(bool)
        else:
            light = np.asarray(gray > (np.floor(cut) if gray.dtype.kind == "u" else np.float32(cut)))
    else:
        light = otsu_cut(byte_plane(image, what))
    return ~light if dark else light


def otsu_cut(plane: np.ndarray) -> np.ndarray:
    """Bytes above Otsu's level; of a plain plane all that is not black."""
    import cv2

    _, made = cv2.threshold(plane, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(made).reshape(plane.shape).view(bool)
