"""A stained blood smear through a microscope: red cells, white cells with lobed nuclei, platelets."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.annotations import Heatmap, Labels, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, things
from sightline.sources.drawn.surface import bank, cut

STATES = ("normal", "anaemia", "infection")
CELLS = ("red", "white", "platelet")
REGIONS = ("background", "red cell", "cytoplasm", "nucleus", "platelet")
_STAINS = {  # how much red, green and blue light a full thickness swallows
    "red": (0.16, 0.62, 0.50),
    "cytoplasm": (0.34, 0.42, 0.16),
    "nucleus": (1.05, 1.45, 0.52),
    "platelet": (0.55, 0.85, 0.38),
}


def plan(seed: int, index: int) -> Plan:
    """The state of the blood and how strongly it was stained."""
    chance = generator("drawn", "cells", "plan", seed, index)
    facts = {
        "stain": round(float(chance.uniform(0.85, 1.15)), 3),
        "focus": str(chance.choice(["sharp", "soft"], p=[0.75, 0.25])),
    }
    return Plan(balanced(STATES, "cells", seed, index), facts)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """Cells that barely touch, each swallowing light by its thickness."""
    chance = generator("drawn", "cells", "scene", seed, index)
    unit, state = size / 256, str(plan.label)
    swallowed = np.zeros((size, size, 3), np.float32)
    regions = np.zeros((size, size), np.uint8)
    middles, radii, kinds = _crowd(state, chance)
    order = np.argsort(kinds == CELLS.index("white"), kind="stable")  # white cells lie on top
    middles, radii, kinds = middles[order] * size, radii[order] * unit, kinds[order]
    owner = np.zeros((size, size), np.int16)
    stain = float(plan.attributes["stain"])
    for place, members in ((0, kinds == 0), (2, kinds == 2), (1, kinds == 1)):
        rows = np.flatnonzero(members)
        if not len(rows):
            continue
        name = CELLS[place]
        covers, thick = _bodies(name, middles[rows], radii[rows], state, chance)
        swallow = np.array(_STAINS["cytoplasm" if name == "white" else name], np.float32) * np.float32(stain)
        for number, row in enumerate(rows.tolist()):
            corner = _corner(middles[row], covers.shape[1] // 2)
            region = {"red": 1, "white": 2, "platelet": 4}[name]
            _stack(swallowed, owner, regions, covers[number], thick[number], swallow, corner, row + 1, region)
            if name == "white":
                kernel, deep = _nucleus(covers[number], radii[row], chance)
                _stack(
                    swallowed, owner, regions, kernel, deep, np.array(_STAINS["nucleus"], np.float32) * stain, corner,
                    row + 1, 3,
                )  # fmt: skip
    lit = _glass(size, chance) * cv2.exp(-swallowed)
    softness = (0.5 if plan.attributes["focus"] == "sharp" else 1.0) * unit
    clean = camera.develop(lit, chance, softness=softness, warmth=float(chance.uniform(-0.02, 0.05)))
    masks = owner[None] == np.arange(1, len(kinds) + 1, dtype=np.int16)[:, None, None]
    found = things(masks, kinds, CELLS, least=8)
    counts = np.bincount(found.classes, minlength=3)
    crowd = cv2.GaussianBlur((regions > 0).astype(np.float32), (0, 0), 8 * unit)
    said = f"{counts[0]} red cells, {counts[1]} white cells and {counts[2]} platelets"
    return Scene(
        camera.sense(clean, chance),
        clean,
        labels=Labels((state,)),
        objects=found,
        regions=Regions(regions, REGIONS),
        heatmap=Heatmap(crowd, float(crowd.mean())),
        value=Value(CELLS, counts.astype(np.float32)),
        text=Text(said),
        attributes=plan.attributes,
    )


def _crowd(state: str, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middles (0..1), radii (at 256 pixels) and kinds: thrown at the glass, those that would overlap are left out."""
    reds = int(chance.integers(11, 17) if state == "anaemia" else chance.integers(28, 40))
    whites = int(chance.integers(4, 7) if state == "infection" else chance.integers(1, 3))
    platelets = int(chance.integers(3, 9))
    kinds = np.repeat([1, 0, 2], [whites, reds, platelets])
    usual = {0: 13.5 if state == "anaemia" else 15.5, 1: 27.0, 2: 4.6}
    radii = np.array([usual[int(kind)] for kind in kinds]) * chance.uniform(0.9, 1.12, len(kinds))
    tries = chance.uniform(-0.02, 1.02, (len(kinds), 10, 2))
    tries[kinds == 1] = chance.uniform(0.1, 0.9, (whites, 10, 2))
    middles, kept = np.zeros((len(kinds), 2)), np.zeros(len(kinds), bool)
    for row in range(len(kinds)):
        apart = tries[row][:, None] - middles[None, :row][:, kept[:row]]
        room = np.hypot(apart[..., 0], apart[..., 1]) * 256 > (radii[row] + radii[:row][kept[:row]]) * 0.97
        free = np.flatnonzero(room.all(1))
        if len(free):
            middles[row], kept[row] = tries[row][free[0]], True
    return middles[kept], radii[kept], kinds[kept]


def _corner(middle: np.ndarray, half: int) -> tuple[int, int]:
    return int(np.floor(middle[0])) - half, int(np.floor(middle[1])) - half


def _bodies(
    name: str, middles: np.ndarray, radii: np.ndarray, state: str, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Covers and thicknesses (n, side, side) of all cells of a kind at once, each with its own wobble."""
    half = int(radii.max() * 1.25) + 2
    along = np.arange(-half, half + 1, dtype=np.float32)
    shift = (middles - np.floor(middles) - 0.5).astype(np.float32)
    x = along[None, None, :] - shift[:, 0, None, None]
    y = along[None, :, None] - shift[:, 1, None, None]
    count = len(radii)
    turn, squash = chance.uniform(0, np.pi, count), chance.uniform(0.9, 1.0, count)
    cos, sin = np.cos(turn).astype(np.float32)[:, None, None], np.sin(turn).astype(np.float32)[:, None, None]
    u, v = x * cos + y * sin, (y * cos - x * sin) / squash.astype(np.float32)[:, None, None]
    away = np.sqrt(u * u + v * v)
    # cos 2a and cos 3a without an arctangent a pixel
    c1, s1 = u / (away + 1e-3), v / (away + 1e-3)
    second, third = c1 * c1 - s1 * s1, c1 * (c1 * c1 - 3 * s1 * s1)
    rough = {"red": 0.03, "white": 0.045, "platelet": 0.13}[name]
    wobble = chance.normal(0, rough, (2, count, 1, 1)).astype(np.float32).clip(-0.18, 0.18)
    radius = radii.astype(np.float32)[:, None, None]
    edge = radius * (1 + wobble[0] * second + wobble[1] * third)
    covers = np.clip(np.float32(0.5) - (away - edge), 0, 1)
    inner = away / edge
    if name == "red":  # a biconcave disc: thickest in a ring, pale in the middle
        pale = 0.62 if state == "anaemia" else 0.42
        thick = np.float32(1) - np.float32(pale) * np.exp(-((inner / 0.46) ** 2))
        thick = thick * np.float32(0.72 if state == "anaemia" else 0.95) + np.float32(0.22) * np.exp(
            -(((inner - 0.9) / 0.1) ** 2)
        )
    else:
        grain = bank("grain")
        y0, x0 = (int(part) for part in chance.integers(0, len(grain) - covers.shape[1], 2))
        thick = (
            0.85
            + np.float32(0.12) * cv2.blur(grain[y0 : y0 + covers.shape[1], x0 : x0 + covers.shape[1]], (2, 2))[None]
        )
        thick = thick + np.float32(0.5) * np.exp(-(((inner - 0.98) / 0.07) ** 2))
    return covers, np.broadcast_to(thick, covers.shape)


def _nucleus(body: np.ndarray, radius: float, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A nucleus of one to four lobes within a cell's body, with clumped chromatin."""
    side = body.shape[0]
    half = side // 2
    along = np.arange(-half, half + 1, dtype=np.float32)
    lobes = int(chance.integers(1, 5))
    turn, reach = chance.uniform(0, 2 * np.pi), radius * (0.0 if lobes == 1 else 0.36)
    size = radius * (0.66 if lobes == 1 else 0.46 - 0.035 * lobes)
    distance = np.full(body.shape, 1e3, np.float32)
    for lobe in range(lobes):
        angle = turn + lobe * 2 * np.pi / max(lobes, 3) * 0.9
        x, y = np.cos(angle) * reach, np.sin(angle) * reach
        each = np.hypot(along[None] - np.float32(x), along[:, None] - np.float32(y)) - np.float32(
            size * chance.uniform(0.9, 1.15)
        )
        soft = np.float32(radius * 0.12)  # a smooth union, so that lobes grow together
        blend = np.clip(0.5 + 0.5 * (distance - each) / soft, 0, 1)
        distance = distance * (1 - blend) + each * blend - soft * blend * (1 - blend)
    field = cut("clouds", chance, side, side, side / 420)
    cover = np.clip(0.5 - distance - np.float32(0.05 * radius) * field, 0, 1) * body
    return cover, 1 + np.float32(0.2) * field


def _stack(
    swallowed: np.ndarray, owner: np.ndarray, regions: np.ndarray, cover: np.ndarray, thick: np.ndarray,
    stain: np.ndarray, corner: tuple[int, int], row: int, region: int,
) -> None:  # fmt: skip
    """Add one body's thickness to what swallows light, and note whose pixels these now are."""
    size, (x, y), (tall, wide) = len(owner), corner, cover.shape
    x0, y0, x1, y1 = max(0, x), max(0, y), min(size, x + wide), min(size, y + tall)
    if x1 <= x0 or y1 <= y0:
        return
    there = (slice(y0, y1), slice(x0, x1))
    here = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
    swallowed[there] += (cover[here] * thick[here])[..., None] * stain
    mine = cover[here] > 0.5
    owner[there][mine] = row
    regions[there][mine] = region


def _glass(size: int, chance: np.random.Generator) -> np.ndarray:
    """Light through plasma: nearly white, with a slow tint."""
    field = cut("clouds", chance, size, size, 1.6 * size / 256)
    base = 0.93 + 0.014 * field
    rose = float(chance.uniform(0.0, 0.05))
    tones = (1.0, 0.955 - rose, 0.955 - rose * 0.4)
    return np.asarray(cv2.merge([base * np.float32(tone) for tone in tones]))


WORLD = World(
    names={
        "labels": STATES,
        "objects": CELLS,
        "rotated": CELLS,
        "regions": REGIONS,
        "heatmap": (),
        "value": CELLS,
        "picture": (),
        "text": (),
    },
    default="objects",
    plan=plan,
    draw=draw,
)
