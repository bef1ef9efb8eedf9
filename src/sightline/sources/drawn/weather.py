"""Light and air over a street: clear, fog, rain, night."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.sources.drawn.stage import Stage
from sightline.sources.drawn.surface import cut, deep

KINDS = ("clear", "fog", "rain", "night")
_ZENITH = {
    "clear": (0.30, 0.50, 0.82),
    "fog": (0.72, 0.74, 0.76),
    "rain": (0.44, 0.48, 0.53),
    "night": (0.02, 0.03, 0.07),
}
_LOW = {"clear": (0.80, 0.87, 0.94), "fog": (0.78, 0.79, 0.80), "rain": (0.62, 0.65, 0.68), "night": (0.10, 0.09, 0.14)}
_HAZE = {"clear": 0.004, "fog": 0.042, "rain": 0.016, "night": 0.006}  # share of light lost a metre
_CLOUDS = {"clear": 0.85, "fog": 0.0, "rain": 0.35, "night": 0.05}


def warmth(sky: str, hour: int) -> float:
    """Noon is neutral, early and late light is warm, lamps at night a little."""
    return 0.05 if sky == "night" else 0.014 * abs(hour - 12.5) if sky == "clear" else -0.02


def paint(
    sky: str, flat: np.ndarray, regions: np.ndarray, depth: np.ndarray, stage: Stage,
    feet: list[tuple[float, float, float, float]], chance: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Flat colours as light: texture, shadows under things, air between, lamps, and what the wet road mirrors."""
    size = stage.size
    above = _sky(sky, stage, chance)
    lit = flat.astype(np.float32) * np.float32(1 / 255)
    lit *= deep(_texture(regions, depth, chance))
    ground = (regions >= 2) & (regions <= 4)
    lit *= deep(1 - _under(sky, stage, feet) * ground)
    if sky == "night":
        beam = _beam(stage)
        lit *= cv2.merge([beam + np.float32(part) for part in (0.27, 0.28, 0.38)])
        lamps = (flat[..., 0] > 250) & (flat[..., 1] > 200) & (flat[..., 2] < 140)
        lit[lamps] = flat[lamps] / np.float32(255)  # windows with somebody at home
    elif sky == "rain":
        lit *= np.float32(0.8)
    air = cv2.exp(depth * np.float32(-_HAZE[sky]))
    thick = (1 - air) * np.float32(0.95 if sky != "night" else 0.5)
    lit = lit * deep(air) + cv2.merge([thick * np.float32(part) for part in _LOW[sky]])
    cv2.copyTo(above, (regions == 0).astype(np.uint8), lit)
    if sky == "rain":
        _mirror(lit, ground, stage)
    glow = 1.0 if sky == "night" else 0.45 if sky in ("rain", "fog") else 0.12
    lit += _glow(stage) * np.float32(glow)
    if sky == "rain":
        streaks = np.clip(cut("brushed", chance, size, size, size / 256) - np.float32(1.6), 0, 1).T
        lit += deep(np.float32(0.16) * streaks)
    return np.asarray(lit, np.float32)


def _sky(sky: str, stage: Stage, chance: np.random.Generator) -> np.ndarray:
    size = stage.size
    down = np.clip(np.linspace(0, 1 / stage.horizon, size, dtype=np.float32), 0, 1)[:, None]
    field = cut("clouds", chance, size, size, 1.2 * size / 256)
    cloud = np.clip(field * np.float32(0.6) + np.float32(0.1), 0, 1) * np.float32(_CLOUDS[sky])
    planes = [high * (1 - down) + low * down for high, low in zip(_ZENITH[sky], _LOW[sky], strict=True)]
    return np.asarray(cv2.merge([plane + (np.float32(0.95) - plane) * cloud for plane in planes]))


def _texture(regions: np.ndarray, depth: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Brightness: rough asphalt that smooths with distance, plaster on walls, next to nothing elsewhere."""
    size = len(regions)
    coarse = cut("clouds", chance, size, size, 0.5 * size / 256)
    fine = cut("grain", chance, size, size)
    share = np.array([0.0, 0.035, 0.05, 0.055, 0.05, 0.13, 0.012, 0.03, 0.01, 0.0], np.float32)[regions]
    fade = np.minimum(1, 9 / depth)  # grain melts away with distance
    slow = np.array([0.0, 0.05, 0.03, 0.05, 0.03, 0.1, 0.0, 0.02, 0.0, 0.0], np.float32)[regions]
    return np.asarray(1 + fine * share * fade + coarse * slow)


def _under(sky: str, stage: Stage, feet: list[tuple[float, float, float, float]]) -> np.ndarray:
    """0..1 darkness on the ground below things; under a clear sky the sun throws it to a side."""
    dark = np.zeros((stage.size, stage.size), np.uint8)
    aside = 0.9 if sky == "clear" else 0.12
    for x, z, half, long in feet:
        plan = [
            [x - half, 0, z - 0.15],
            [x + half + aside, 0, z - 0.15],
            [x + half + aside, 0, z + long],
            [x - half, 0, z + long],
        ]
        at = stage.project(np.array(plan))
        cv2.fillPoly(
            dark, [np.rint((at - 0.5) * 16).astype(np.int32)], (205 if sky == "clear" else 165,), cv2.LINE_AA, 4
        )
    width = 2 * max(1, stage.size // 100) + 1
    return np.asarray(cv2.blur(dark, (width, width)).astype(np.float32) * np.float32(1 / 255))


def _beam(stage: Stage) -> np.ndarray:
    """What our own headlamps reach at night."""
    size = stage.size
    x = (np.arange(size, dtype=np.float32) / size - 0.5)[None] / 0.42
    y = (np.arange(size, dtype=np.float32) / size - np.float32(stage.horizon + 0.13))[:, None] / 0.17
    return np.asarray(np.float32(0.62) * np.exp(-(x * x)) * np.exp(-(y * y)))


def _glow(stage: Stage) -> np.ndarray:
    """Lamps and the halo that the lens puts around them; worked at a quarter of the size, for it is soft."""
    small = max(8, stage.size // 4)
    share = small / stage.size
    canvas = np.zeros((small, small, 3), np.float32)
    for x, y, radius, colour in stage.lamps:
        around = max(1.0, radius * share * 1.3)
        middle = (round((x * share - 0.5) * 16), round((y * share - 0.5) * 16))
        if abs(middle[0]) < 10**5 and abs(middle[1]) < 10**5:
            cv2.circle(canvas, middle, round(around * 16), tuple(1.3 * part for part in colour), -1, cv2.LINE_8, 4)
    wide = cv2.GaussianBlur(canvas, (0, 0), 3.2 * small / 64)
    tight = cv2.GaussianBlur(canvas, (0, 0), 0.9)
    return np.asarray(cv2.resize(wide * 1.1 + tight * 0.6, (stage.size, stage.size), interpolation=cv2.INTER_LINEAR))


def _mirror(lit: np.ndarray, ground: np.ndarray, stage: Stage) -> None:
    """A wet road gives back, blurred downwards, what stands above the horizon."""
    edge = round(stage.horizon * stage.size)
    rows = min(edge, stage.size - edge)
    turned = cv2.blur(np.ascontiguousarray(lit[edge - rows : edge][::-1]), (3, max(3, stage.size // 20)))
    fade = np.linspace(0.4, 0.0, rows, dtype=np.float32)[:, None, None]
    wet = ground[edge : edge + rows, :, None] * fade
    lit[edge : edge + rows] += (turned - lit[edge : edge + rows]) * wet
