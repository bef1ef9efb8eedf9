"""Banks of seeded noise, made once and cut at random places: what gives drawn things their texture."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from sightline.core.chance import generator

_SIDE = 1024


@cache
def bank(name: str) -> np.ndarray:
    """A (1024, 1024) float32 field of mean 0 and spread 1: grain, clouds, brushed, wood, or weave."""
    chance = generator("drawn", "bank", name)
    white = chance.standard_normal((_SIDE, _SIDE), dtype=np.float32)
    if name == "grain":
        field = white
    elif name == "clouds":
        field = np.zeros_like(white)
        for octave in range(7):
            field = np.asarray(field + _smooth(chance, 2**octave) * 0.55**octave, np.float32)
    elif name == "brushed":
        field = cv2.blur(white, (121, 1), borderType=cv2.BORDER_REFLECT) * 8 + cv2.blur(white, (31, 1)) * 2
    elif name == "wood":
        rings = _smooth(chance, 6, 1) * 7 + np.linspace(0, 60, _SIDE, dtype=np.float32)[:, None]
        field = np.sin(rings) * 0.5 + cv2.blur(white, (181, 1)) * 7 + cv2.blur(white, (41, 3)) * 1.2
    else:
        along = np.arange(_SIDE, dtype=np.float32)
        field = np.sin(along * 1.9)[:, None] * np.sin(along * 1.9)[None] + 0.5 * white
    field = (field - field.mean()) / field.std()
    field = np.ascontiguousarray(field, np.float32)
    field.setflags(write=False)
    return field


def _smooth(chance: np.random.Generator, waves: int, across: int | None = None) -> np.ndarray:
    """A field with about this many bumps a side."""
    coarse = chance.standard_normal((waves * 2 + 2, (across or waves) * 2 + 2), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC))


def cut(name: str, chance: np.random.Generator, rows: int, columns: int, zoom: float = 1.0) -> np.ndarray:
    """A piece of a bank at a random place; `zoom` over 1 enlarges its pattern."""
    tall, wide = min(_SIDE, round(rows / zoom)), min(_SIDE, round(columns / zoom))
    y, x = int(chance.integers(_SIDE - tall + 1)), int(chance.integers(_SIDE - wide + 1))
    piece = bank(name)[y : y + tall, x : x + wide]
    if (tall, wide) == (rows, columns):
        return piece
    return np.asarray(cv2.resize(piece, (columns, rows), interpolation=cv2.INTER_LINEAR))


def deep(plane: np.ndarray) -> np.ndarray:
    """A plane three times over: far faster to multiply colours with than a broadcast over three channels."""
    return np.asarray(cv2.merge([plane, plane, plane]))


def tint(field: np.ndarray, colour: tuple[float, float, float], spread: float) -> np.ndarray:
    """A colour whose brightness follows a field."""
    brightness = np.float32(1) + np.float32(spread) * field
    return np.asarray(cv2.merge([brightness * np.float32(part) for part in colour]))
