"""Measures of a shape, from its mask: what a rule can ask of it, and a row of features."""

from __future__ import annotations

from typing import Any

import numpy as np

# How long the edge is at a pixel of the rim, by its neighbours on the rim (Benkrid and Crookes 2000).
_STRAIGHT, _SLANTED, _MIXED = (5, 7, 15, 17, 25, 27), (21, 33), (13, 23)


def measures(mask: np.ndarray) -> dict[str, Any]:
    """Area, perimeter, circularity, solidity, extent, eccentricity, axes, orientation (radians) and Hu's moments.

    Angles turn from the x axis towards the y axis, which points down, from -pi/2 to pi/2. Circularity is 1 for a disc
    and less for all else; it may pass 1 by a little where the shape has few pixels.
    """
    import cv2

    pixels = np.ascontiguousarray(mask, np.uint8)
    found = cv2.moments(pixels, True)
    area = float(found["m00"])
    if not area:
        return dict.fromkeys(NUMBERS, 0.0) | {"hu": [0.0] * 7}
    rim = perimeter(pixels)
    across, down, both = (found[name] / area for name in ("mu20", "mu02", "mu11"))
    spread = float(np.sqrt(4 * both**2 + (across - down) ** 2))
    large, small = (across + down + spread) / 2, max((across + down - spread) / 2, 0.0)
    rows, columns = np.nonzero(pixels)
    box = (int(np.ptp(rows)) + 1) * (int(np.ptp(columns)) + 1)
    return {
        "area": area,
        "perimeter": rim,
        "circularity": 4 * np.pi * area / rim**2 if rim else 0.0,
        "solidity": area / max(hull_area(pixels), area),
        "extent": area / box,
        "eccentricity": float(np.sqrt(max(0.0, 1 - small / large))) if large > 0 else 0.0,
        "major": 4 * float(np.sqrt(large)),
        "minor": 4 * float(np.sqrt(small)),
        "orientation": 0.5 * float(np.arctan2(2 * both, across - down)),
        "hu": np.asarray(cv2.HuMoments(found), np.float64).ravel().tolist(),
    }


NUMBERS = (
    "area", "perimeter", "circularity", "solidity", "extent", "eccentricity", "major", "minor", "orientation",
)  # fmt: skip


def perimeter(mask: np.ndarray) -> float:
    """The length of the edge, from the pixels that have a neighbour outside."""
    import cv2

    padded = np.pad(mask.astype(np.uint8), 1)
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    rim = padded - np.asarray(cv2.erode(padded, cross, borderType=cv2.BORDER_CONSTANT, borderValue=0))
    kernel = np.array([[10, 2, 10], [2, 1, 2], [10, 2, 10]], np.float32)
    near = np.asarray(cv2.filter2D(rim, cv2.CV_16S, kernel, borderType=cv2.BORDER_CONSTANT)).ravel()
    counts = np.bincount(near[near >= 0], minlength=50)
    straight, slanted, mixed = (sum(int(counts[code]) for code in codes) for codes in (_STRAIGHT, _SLANTED, _MIXED))
    return float(straight + slanted * np.sqrt(2) + mixed * (1 + np.sqrt(2)) / 2)


def hull_area(mask: np.ndarray) -> float:
    """The area of the smallest shape without dents around the pixels."""
    import cv2

    first, last = mask.argmax(1), mask.shape[1] - mask[:, ::-1].argmax(1)
    rows = np.flatnonzero(mask.any(1))
    corners = [(column[rows], rows + below) for column in (first, last) for below in (0, 1)]
    points = np.concatenate([np.stack(pair, 1) for pair in corners]).astype(np.float32)
    return float(cv2.contourArea(cv2.convexHull(points)))
