"""Land seen from above: fields, a road, trees, houses with the shadows they throw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sightline.sources.drawn.surface import cut

Sun = tuple[float, float]  # how far a thing as high as one pixel throws its shadow
_FIELDS = ((98, 128, 62), (126, 142, 74), (158, 146, 92), (84, 112, 58), (142, 122, 84), (110, 136, 80))
_ROOFS = ((158, 74, 56), (134, 88, 70), (112, 112, 118), (176, 96, 66), (92, 86, 88), (196, 190, 180))


@dataclass(frozen=True, slots=True)
class House:
    """A gabled house: middle, halves of its sides and height in pixels."""

    x: float
    y: float
    wide: float
    deep: float
    turn: float
    high: float
    roof: tuple[int, int, int]

    def corners(self, wide: float = 1.0, deep: float = 1.0, side: float = 0.0) -> np.ndarray:
        """A rectangle of the roof: shares of its halves, moved aside by a share of its depth."""
        local = np.array([[-wide, -deep], [wide, -deep], [wide, deep], [-wide, deep]]) * [self.wide, self.deep]
        local[:, 1] += side * self.deep
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return np.asarray(local @ np.array([[cos, sin], [-sin, cos]]) + np.array([self.x, self.y]))


def fill(canvas: np.ndarray, corners: np.ndarray, colour: tuple[int, ...] | int) -> None:
    """A smooth-edged polygon; corners count from the picture's edge, so that pixel centres lie at halves."""
    tone = (colour,) if isinstance(colour, int) else colour
    cv2.fillPoly(canvas, [np.rint((corners - 0.5) * 16).astype(np.int32)], tone, cv2.LINE_AA, 4)


def ground(size: int, chance: np.random.Generator, turn: float, aside: float) -> np.ndarray:
    """Fields and a road that all follow one direction, as uint8 colours without texture; the road passes `aside`."""
    canvas = np.zeros((size, size, 3), np.uint8)
    canvas[:] = _FIELDS[int(chance.integers(len(_FIELDS)))]
    cos, sin = np.cos(turn), np.sin(turn)
    bend = np.array([[cos, sin], [-sin, cos]])
    for _ in range(5):
        middle, half = chance.uniform(-0.6, 0.6, 2), chance.uniform(0.15, 0.5, 2)
        corners = (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + middle) @ bend * size + size / 2
        fill(canvas, corners, _FIELDS[int(chance.integers(len(_FIELDS)))])
    for broad, tone in ((0.036, (142, 138, 128)), (0.029, (92, 92, 96))):
        band = np.array([[-1, aside - broad], [1, aside - broad], [1, aside + broad], [-1, aside + broad]])
        fill(canvas, band @ bend * size + size / 2, tone)
    for dash in np.linspace(-0.8, 0.8, 21).tolist():
        corners = np.array(
            [[dash, aside - 0.003], [dash + 0.035, aside - 0.003], [dash + 0.035, aside + 0.003], [dash, aside + 0.003]]
        )
        fill(canvas, corners @ bend * size + size / 2, (214, 212, 202))
    return canvas


def plant(canvas: np.ndarray, dark: np.ndarray, chance: np.random.Generator, sun: Sun, count: int) -> None:
    """Round trees: shadow, crown, and the side that the sun meets."""
    size = len(canvas)
    for _ in range(count):
        x, y = chance.uniform(0, size, 2)
        radius = chance.uniform(0.011, 0.026) * size
        _dot(dark, x + sun[0] * radius * 1.3, y + sun[1] * radius * 1.3, radius, 150)
        tone = np.array([52, 84, 42]) * chance.uniform(0.8, 1.25)
        for share, bright in ((1.0, 0.8), (0.74, 1.05), (0.42, 1.4)):
            away = (1 - share) * radius * 0.7
            _dot(
                canvas,
                x - sun[0] * away,
                y - sun[1] * away,
                radius * share,
                tuple((tone * bright).astype(int).tolist()),
            )


def _dot(canvas: np.ndarray, x: float, y: float, radius: float, tone: int | tuple[int, ...]) -> None:
    colour = (tone,) if isinstance(tone, int) else tone
    middle = (round((x - 0.5) * 16), round((y - 0.5) * 16))
    cv2.circle(canvas, middle, round(radius * 16), colour, -1, cv2.LINE_AA, 4)


def build(canvas: np.ndarray, dark: np.ndarray, house: House, sun: Sun) -> None:
    """A house on the canvas and its shadow on the dark."""
    foot = house.corners()
    away = np.array(sun) * house.high
    hull = cv2.convexHull(np.concatenate([foot, foot + away]).astype(np.float32))[:, 0]
    fill(dark, hull, 170)
    fill(dark, foot, 0)
    facing = np.sin(house.turn) * -sun[0] + np.cos(house.turn) * sun[1]
    for side in (-0.5, 0.5):
        bright = 1.0 + 0.26 * np.sign(side) * np.sign(-facing)
        tone = tuple(int(min(255, part * bright)) for part in house.roof)
        fill(canvas, house.corners(1, 0.5, side), tone)
    fill(canvas, house.corners(1, 0.05), tuple(int(min(255, part * 1.15)) for part in house.roof))
    chimney = house.corners(0.1, 0.16, 0.45) + 0.4 * (foot[1] - foot[0]) * 0.5
    fill(canvas, chimney, (92, 70, 64))


def sunlit(canvas: np.ndarray, dark: np.ndarray, grain: np.ndarray, size: int) -> np.ndarray:
    """Colours, shadow and texture as light of 0..1."""
    shade = cv2.blur(dark, (3, 3)) if size >= 128 else dark
    light = (1 - np.float32(0.62 / 255) * shade) * grain
    return np.asarray(cv2.multiply(canvas.astype(np.float32), cv2.merge([light, light, light]), scale=1 / 255))


def texture(size: int, chance: np.random.Generator) -> np.ndarray:
    """Brightness that varies slowly over fields and quickly over grass."""
    zoom = size / 256
    slow = cut("clouds", chance, size, size, 0.6 * zoom) + cut("clouds", chance, size, size, 0.25 * zoom)
    return np.asarray(1.06 + 0.05 * slow + 0.045 * cut("grain", chance, size, size))


def houses(chance: np.random.Generator, size: int, turn: float, aside: float, count: int) -> list[House]:
    """Houses that stand apart and off the road, along one direction."""
    made: list[House] = []
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    for _ in range(count * 12):
        if len(made) == count:
            break
        x, y = chance.uniform(0.1, 0.9, 2) * size
        wide, deep = chance.uniform(0.04, 0.075) * size, chance.uniform(0.03, 0.045) * size
        road = (y / size - 0.5) * cos - (x / size - 0.5) * sin - aside
        if abs(road) > 0.115 and all(
            np.hypot(x - other.x, y - other.y) > 2.2 * max(wide, other.wide) for other in made
        ):
            roof = _ROOFS[int(chance.integers(len(_ROOFS)))]
            angle = turn + float(chance.choice([0, np.pi / 2])) + float(chance.normal(0, 0.06))
            made.append(
                House(
                    float(x), float(y), float(wide), float(deep), angle, float(chance.uniform(0.03, 0.05)) * size, roof
                )
            )
    return made
