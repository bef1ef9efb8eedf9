"""Features of form: what a rule could ask of the largest thing in the picture."""

from __future__ import annotations

import numpy as np

from sightline.core.shapes import measures
from sightline.features._light import gray, resized


def shape(image: np.ndarray, *, side: int = 96, dark: bool = False) -> np.ndarray:
    """Twelve numbers of the largest connected part that is lighter than Otsu's level, or darker with `dark`.

    Its share of the picture, circularity, solidity, extent, eccentricity, and the logarithms of Hu's seven moments:
    none of them changes where the thing moves or (but for the extent) turns, and only the first where it grows.
    """
    import cv2

    light = np.rint(np.clip(resized(gray(image), side, side), 0, 1) * 255).astype(np.uint8)
    _, cut = cv2.threshold(light, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = np.asarray(cut).reshape(side, side)
    _, named, stats, _ = cv2.connectedComponentsWithStats(1 - mask if dark else mask, connectivity=8)
    areas = np.asarray(stats)[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return np.zeros(12, np.float32)
    found = measures(np.asarray(named).reshape(side, side) == 1 + int(areas.argmax()))
    moments = np.array(found["hu"])
    numbers = [
        found["area"] / side**2,
        *(found[name] for name in ("circularity", "solidity", "extent", "eccentricity")),
    ]
    logs = np.sign(moments) * np.log1p(np.abs(moments) * 1e6) / 14  # near -1 to 1
    return np.concatenate([numbers, logs]).astype(np.float32)
