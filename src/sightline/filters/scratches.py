"""Filters against damage of old prints."""

from __future__ import annotations

import math

import numpy as np

from sightline.core.depth import unit
from sightline.filters._asked import one_of, within
from sightline.filters._noise import measured
from sightline.filters._pixels import on_pixels
from sightline.filters._planes import gray_of
from sightline.filters.filling import navier_stokes

TONES = ("both", "light", "dark")


@on_pixels
def descratch(
    image: np.ndarray, *, width: float = 4.0, contrast: float = 0.12, length: float = 0.25, tone: str = "both"
) -> np.ndarray:
    """Thin straight `light` or `dark` lines, up to `width` pixels wide, found by their `contrast` and filled.

    A scratch runs straight for at least `length` of the shorter side, bends but little, and is lighter or darker than
    both of its sides. Such lines that belong to the picture go too: for damaged prints, not for sound photographs.
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
        for line in _lines(run):
            straight = cv2.morphologyEx(marks, cv2.MORPH_OPEN, line)
            found |= marks & cv2.dilate(straight, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)) > 0)


def _lines(run: int, ways: int = 24) -> list[np.ndarray]:
    """Straight lines of so many pixels, each turned a little further."""
    import cv2

    made = []
    for number in range(ways):
        turn = math.pi * number / ways
        sheet = np.zeros((run | 1, run | 1), np.uint8)
        middle, half = (run | 1) // 2, run / 2
        off = round(half * math.cos(turn)), round(half * math.sin(turn))
        cv2.line(sheet, (middle - off[0], middle - off[1]), (middle + off[0], middle + off[1]), 1)
        made.append(sheet)
    return made
