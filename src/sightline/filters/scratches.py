"""Filters against damage of old prints."""

from __future__ import annotations

import math

import numpy as np

from sightline.core.asked import one_of, within
from sightline.core.depth import unit
from sightline.filters._noise import measured
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import gray_of
from sightline.filters.filling import navier_stokes

TONES = ("both", "light", "dark")
_SOLID = 0.9  # share of a scratch that is marked
_ALIKE, _MOSTLY = 0.8, 0.7  # of the step from a scratch to its sides: how far these are apart, for most of its length


@on_pixels
def descratch(
    image: np.ndarray, *, width: float = 4.0, contrast: float = 0.12, length: float = 0.25, tone: str = "both"
) -> np.ndarray:
    """Thin straight `light` or `dark` lines, up to `width` pixels wide, found by their `contrast` and filled.

    A scratch runs straight for at least `length` of the shorter side, bends but little, and is lighter or darker than
    both of its sides, which are alike. Ruled lines and wires of the picture are so too, and go: for damaged prints, not
    for sound photographs.
    """
    within("descratch", 1, 50, width=width)
    within("descratch", 0.01, 1, contrast=contrast, length=length)
    one_of("descratch", TONES, tone=tone)
    found = _scratches(gray_of(unit(image)), width, contrast, length, tone)
    return navier_stokes(image, mask=found.astype(np.uint8)) if found.any() and not found.all() else image.copy()


def _scratches(gray: np.ndarray, width: float, contrast: float, length: float, tone: str) -> np.ndarray:
    """Narrower than an opening or closing leaves, by a contrast that noise does not reach, along a straight line."""
    import cv2

    size = 2 * round(width / 2) + 3
    square = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    least = max(contrast, 4 * measured(gray[..., None]))
    run = max(3, round(4 * width), round(length * min(gray.shape)))
    found = np.zeros(gray.shape, np.uint8)
    for way, kind in (("light", cv2.MORPH_TOPHAT), ("dark", cv2.MORPH_BLACKHAT)):
        if tone not in ("both", way):
            continue
        marks = (cv2.morphologyEx(gray, kind, square) > least).astype(np.uint8)
        found |= marks & _along_lines(marks, gray, run, 2 * round(width / 2) + 1)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)) > 0)


def _along_lines(marks: np.ndarray, gray: np.ndarray, run: int, wide: int) -> np.ndarray:
    """1 along every straight line of marks that is so long, small gaps included, and lies across what is around it."""
    import cv2

    along = np.zeros_like(marks)
    lines = cv2.HoughLinesP(marks * np.uint8(255), 1, math.pi / 360, round(0.6 * run), None, run, 4)
    for x1, y1, x2, y2 in [] if lines is None else np.asarray(lines).reshape(-1, 4).tolist():
        if _across(marks, gray, (x1, y1, x2, y2), wide // 2):
            cv2.line(along, (x1, y1), (x2, y2), 1, wide)
    return along


def _across(marks: np.ndarray, gray: np.ndarray, line: tuple[int, int, int, int], half: int) -> bool:
    """Whether a line has few gaps and the same on both sides, as rows of letters and rims of things have not."""
    x1, y1, x2, y2 = line
    count = max(abs(x2 - x1), abs(y2 - y1)) + 1
    x, y, length = np.linspace(x1, x2, count), np.linspace(y1, y2, count), max(1.0, math.hypot(x2 - x1, y2 - y1))
    right, down = (y1 - y2) / length, (x2 - x1) / length  # a pixel off the line

    def beside(plane: np.ndarray, off: int) -> np.ndarray:
        rows, columns = np.rint(y + down * off).astype(int), np.rint(x + right * off).astype(int)
        return np.asarray(plane[rows.clip(0, plane.shape[0] - 1), columns.clip(0, plane.shape[1] - 1)])

    on = np.stack([beside(marks, off) for off in range(-half, half + 1)])
    if on.max(0).mean() < _SOLID:
        return False
    one, other = beside(gray, half + 2), beside(gray, -half - 2)
    step = np.abs(np.stack([beside(gray, off) for off in range(-half, half + 1)]) - (one + other) / 2).max(0)
    return bool((np.abs(one - other) <= _ALIKE * step).mean() >= _MOSTLY)
