"""What can be wrong with a part: changes of outline, relief or colour, each with the exact place it covers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sightline.sources.drawn import outline
from sightline.sources.drawn.surface import cut, deep

NAMES = ("scratch", "dent", "stain", "missing")


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A part before it is lit; `cover` says 0..1 where its defect is."""

    distance: np.ndarray
    relief: np.ndarray
    colour: np.ndarray
    cover: np.ndarray


def spoil(name: str, body: Body, radius: float, chance: np.random.Generator) -> Body:
    """The same part with one defect, large enough to be seen; any other name leaves it sound."""
    return _WAYS[name](body, radius, chance) if name in _WAYS else body


def _inner(distance: np.ndarray, deep: float, chance: np.random.Generator) -> tuple[float, float]:
    """A random place at least this deep inside, or the deepest there is."""
    deep = min(deep, float(-distance.min()) * 0.8)
    places = np.flatnonzero(distance.ravel() < -deep)
    row, column = divmod(int(places[int(chance.integers(len(places)))]), distance.shape[1])
    return float(column), float(row)


def _scratch(body: Body, radius: float, chance: np.random.Generator) -> Body:
    solid = outline.cover_of(body.distance + np.float32(1.5))
    best, most = np.zeros_like(solid), -1.0
    for _ in range(3):  # the longest of three stays, for scratches across a hole are hard to see
        x, y = _inner(body.distance, radius * 0.08, chance)
        turn, bend = chance.uniform(0, np.pi), chance.uniform(-0.3, 0.3)
        canvas = np.zeros(solid.shape, np.uint8)
        for aside in np.arange(int(chance.integers(2, 5))) * radius * 0.11:  # one slip leaves lines side by side
            along = np.linspace(-1, 1, 14) * radius * chance.uniform(0.45, 0.7) + chance.normal(0, 0.1 * radius)
            across = bend * along**2 / radius + chance.normal(0, 0.003 * radius, 14) + aside
            line = np.stack(
                [x + along * np.cos(turn) - across * np.sin(turn), y + along * np.sin(turn) + across * np.cos(turn)], 1
            )
            width = max(1, round(radius * 0.04))
            cv2.polylines(canvas, [np.rint(line * 16).astype(np.int32)], False, 255, width, cv2.LINE_AA, 4)
        cover = canvas * (solid / np.float32(255))
        if cover.sum() > most:
            best, most = cover, float(cover.sum())
    dark = deep(best)
    bright = np.clip(deep(np.roll(best, 1, (0, 1))) - dark, 0, 1)  # the ridge thrown up beside a groove
    colour = body.colour * (1 - 0.8 * dark) + bright * np.float32(0.55)
    return Body(body.distance, body.relief, colour, best)


def _dent(body: Body, radius: float, chance: np.random.Generator) -> Body:
    x, y = _inner(body.distance, radius * 0.12, chance)
    wide = radius * float(chance.uniform(0.22, 0.28))
    columns = np.arange(body.distance.shape[1], dtype=np.float32) - np.float32(x)
    rows = np.arange(body.distance.shape[0], dtype=np.float32) - np.float32(y)
    squash, turn = float(chance.uniform(0.75, 1.0)), float(chance.uniform(0, np.pi))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u = columns[None] * cos + rows[:, None] * sin
    v = (rows[:, None] * cos - columns[None] * sin) / np.float32(squash)
    away = (u * u + v * v) / np.float32(wide * wide)
    bowl = np.exp(-away * np.sqrt(away))
    solid = outline.cover_of(body.distance + np.float32(0.5))
    relief = body.relief - bowl * np.float32(wide * 1.1)
    colour = body.colour * (1 - 0.28 * bowl[..., None])
    return Body(body.distance, relief, colour, np.clip((1.25 - np.sqrt(away)) * np.float32(wide), 0, 1) * solid)


def _stain(body: Body, radius: float, chance: np.random.Generator) -> Body:
    x, y = _inner(body.distance, radius * 0.1, chance)
    rows, columns = body.distance.shape
    field = cut("clouds", chance, rows, columns, rows / 700)
    wide = radius * float(chance.uniform(0.30, 0.40))
    blot = np.hypot(np.arange(columns, dtype=np.float32)[None] - x, np.arange(rows, dtype=np.float32)[:, None] - y)
    edge = np.clip((np.float32(wide) + field * np.float32(0.28 * wide) - blot).astype(np.float32) / 1.6, 0, 1)
    cover = edge * outline.cover_of(body.distance + np.float32(0.5))
    tone = np.array(
        [0.62, 0.22, 0.05] if chance.random() < 0.7 else [0.42, 0.12, 0.04], np.float32
    )  # fresh or old rust
    paint = tone * (1 + 0.25 * field[..., None])
    strength = (cover * np.float32(0.88))[..., None]
    return Body(body.distance, body.relief, body.colour * (1 - strength) + paint * strength, cover)


def _missing(body: Body, radius: float, chance: np.random.Generator) -> Body:
    rows, columns = body.distance.shape
    middle = rows // 2
    x, y = (np.arange(n, dtype=np.float32) - np.float32(middle) for n in (columns, rows))
    away = x[None] ** 2 + y[:, None] ** 2
    rim = np.flatnonzero(((np.abs(body.distance) < 1.2) & (away > (0.62 * radius) ** 2)).ravel())
    row, column = divmod(int(rim[int(chance.integers(len(rim)))]), columns)
    field = cut("clouds", chance, rows, columns, rows / 500)
    wide = radius * float(chance.uniform(0.30, 0.40))
    bite = (
        np.hypot(x[None] - (column - middle), y[:, None] - (row - middle))
        - np.float32(wide)
        - field * np.float32(0.10 * wide)
    )
    distance = np.maximum(body.distance, -bite.astype(np.float32))
    cover = outline.cover_of(body.distance) - outline.cover_of(distance)
    broken = max(2.0, 0.09 * radius)  # fresh metal along the break, bright and grainy
    torn = np.clip(1.5 + distance / np.float32(broken), 0, 1) * np.clip(1.2 - bite / np.float32(broken), 0, 1)
    fresh = np.float32(0.85) + np.float32(0.35) * cut("grain", chance, rows, columns)
    torn = deep(torn.astype(np.float32))
    return Body(distance, body.relief, body.colour * (1 - torn) + deep(fresh) * torn, np.clip(cover, 0, 1))


_WAYS = {"scratch": _scratch, "dent": _dent, "stain": _stain, "missing": _missing}
