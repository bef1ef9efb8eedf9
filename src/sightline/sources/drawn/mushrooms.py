"""A bed of mushrooms from above: round caps that overlap, in light that falls off; every circle is known exactly."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.annotations import Heatmap, Labels, Objects, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, outline
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, boxes_of
from sightline.sources.drawn.surface import cut, deep, tint

CROWDS = ("sparse", "dense", "crowded")
REGIONS = ("compost", "mushroom")
_COUNTS = {"sparse": (6, 12), "dense": (18, 30), "crowded": (45, 75)}
_ROOM = {"sparse": 1.02, "dense": 0.8, "crowded": 0.62}  # of two radii, how near two middles may be
_RADII = (9.0, 24.0)  # at 256 pixels


def plan(seed: int, index: int) -> Plan:
    """How many there are, and how uneven the light is."""
    chance = generator("drawn", "mushrooms", "plan", seed, index)
    facts = {
        "slope": round(float(chance.uniform(0, 0.6)), 3),  # of the light that is lost from one side to the other
        "vignette": round(float(chance.uniform(0, 0.4)), 3),  # of the light that is lost in the corners
    }
    return Plan(balanced(CROWDS, "mushrooms", seed, index), facts)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """Caps from the lowest to the highest, each with its stalk and its shadow."""
    chance = generator("drawn", "mushrooms", "scene", seed, index)
    unit = size / 256
    middles, radii = _bed(str(plan.label), chance)
    middles, radii = middles * size, radii * unit
    lit = _compost(size, chance)
    turn = float(chance.uniform(0, 2 * np.pi))
    sun = (0.5 * np.cos(turn), 0.5 * np.sin(turn), 0.87)
    owner = np.zeros((size, size), np.int16)
    whole = np.zeros(len(radii))
    for row, (middle, radius) in enumerate(zip(middles, radii, strict=True)):
        _stalk(lit, middle, float(radius), chance)
        corner, cover = _cap(lit, middle, float(radius), sun, unit, chance)
        mine = camera.stamp(cover, corner, size)
        owner[mine] = row + 1
        whole[row] = max(1.0, float(np.count_nonzero(cover > 0.5)))
    lit = np.asarray(lit * deep(_light(plan, size, chance)))
    clean = camera.develop(lit, chance, softness=0.7 * unit, warmth=float(chance.uniform(-0.03, 0.06)))
    found = _things(owner, middles, radii, whole)
    caps = (owner > 0).astype(np.uint8)
    crowd = np.asarray(cv2.GaussianBlur(caps.astype(np.float32), (0, 0), 10 * unit)).clip(0, 1)
    count = len(found)
    return Scene(
        camera.sense(clean, chance),
        clean,
        labels=Labels((str(plan.label),)),
        objects=found,
        regions=Regions(caps, REGIONS),
        heatmap=Heatmap(crowd, float(crowd.mean())),
        value=Value(("mushroom",), np.array([count], np.float32)),
        text=Text(f"{count} mushroom{'s' if count != 1 else ''} on compost"),
        attributes=plan.attributes,
    )


def _bed(crowd: str, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Middles (0..1) and radii (at 256 pixels) in the order in which they lie on each other, whole in the picture."""
    count = int(chance.integers(*_COUNTS[crowd]))
    base = float(chance.uniform(0.75, 1.1)) * (1.0 if crowd != "crowded" else 0.85)
    middles, radii = np.zeros((0, 2)), np.zeros(0)
    for radius in np.clip(base * chance.uniform(*_RADII, count), 8.0, 30.0):
        tries = chance.uniform(radius + 2, 254 - radius, (30, 2))
        apart = np.linalg.norm(tries[:, None] - middles[None], axis=2) / (radius + radii)[None] if len(radii) else None
        free = np.flatnonzero((apart > _ROOM[crowd]).all(1)) if apart is not None else np.arange(30)
        if len(free):
            middles, radii = np.vstack([middles, tries[free[0]]]), np.append(radii, radius)
    order = chance.permutation(len(radii))
    return middles[order] / 256, radii[order]


def _compost(size: int, chance: np.random.Generator) -> np.ndarray:
    """Dark crumbs with a few bits of straw."""
    zoom = size / 256
    field = cut("clouds", chance, size, size, 0.5 * zoom) * 0.7 + cut("grain", chance, size, size, zoom) * 0.5
    lit = tint(field, (0.27, 0.2, 0.15), 0.28)
    for _ in range(int(chance.integers(4, 14))):
        start, angle = chance.uniform(0, size, 2), chance.uniform(0, np.pi)
        end = start + float(chance.uniform(10, 34)) * zoom * np.array([np.cos(angle), np.sin(angle)])
        tone = float(chance.uniform(0.25, 0.5))
        cv2.line(
            lit, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), (tone, tone * 0.84, tone * 0.58),
            max(1, round(1.3 * zoom)), cv2.LINE_AA,
        )  # fmt: skip
    return np.asarray(np.maximum(lit, np.float32(0.02)))


def _stalk(lit: np.ndarray, middle: np.ndarray, radius: float, chance: np.random.Generator) -> None:
    """What shows of the stalk beside the cap of one that leans."""
    lean = float(chance.uniform(0, 1.35))
    if lean < 0.75:
        return
    angle = float(chance.uniform(0, 2 * np.pi))
    half = int(radius * 0.5) + 3
    at = outline.grid(half, angle)
    cover = outline.cover_of(outline.block(at, radius * 0.42, radius * 0.3, radius * 0.2))
    shade = np.float32(0.5) + np.float32(0.16) * np.clip(at[1] / np.float32(radius), -1, 1)
    away = middle + lean * radius * 0.85 * np.array([np.cos(angle), np.sin(angle)])
    corner = (int(away[0]) - half, int(away[1]) - half)
    camera.lay(lit, deep(np.asarray(shade, np.float32)) * np.array([1.0, 0.93, 0.8], np.float32), cover, corner)


def _cap(
    lit: np.ndarray, middle: np.ndarray, radius: float, sun: tuple[float, float, float], unit: float,
    chance: np.random.Generator,
) -> tuple[tuple[int, int], np.ndarray]:  # fmt: skip
    """Paint a cap and the shadow it throws; gives the corner and the cover of its patch."""
    half = int(np.ceil(radius)) + 3
    whole = np.floor(middle).astype(int)
    x, y = outline.grid(half)
    x, y = x - np.float32(middle[0] - whole[0] - 0.5), y - np.float32(middle[1] - whole[1] - 0.5)
    away = np.hypot(x, y)
    distance = away - np.float32(radius)
    cover = outline.cover_of(distance)
    corner = (int(whole[0]) - half, int(whole[1]) - half)
    room = int(6 * unit) + 3
    wide = cv2.copyMakeBorder(cover, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    dark = camera.shadow(wide, (-sun[0] * 5 * unit, -sun[1] * 5 * unit), 2.2 * unit)
    camera.lay(lit, (0.03, 0.025, 0.02), np.minimum(dark * np.float32(0.62), 1), (corner[0] - room, corner[1] - room))
    inner = np.clip(away / np.float32(radius), 0, 1)
    height = np.sqrt(np.maximum(1 - np.float32(0.82) * inner * inner, 0))  # a flat dome
    slant = np.float32(0.8) / np.float32(radius)
    shine = np.clip(x * slant * np.float32(sun[0]) + y * slant * np.float32(sun[1]) + height * np.float32(sun[2]), 0, 1)
    spots = cut("clouds", chance, len(x), len(x), 0.35 * unit)
    tone = (np.float32(0.3) + np.float32(0.62) * shine) * (1 + np.float32(0.035) * spots)
    brown = float(chance.uniform(0, 0.35))
    colour = np.array([0.97 - 0.25 * brown, 0.92 - 0.42 * brown, 0.84 - 0.6 * brown], np.float32)
    camera.lay(lit, deep(np.asarray(tone, np.float32)) * colour, cover, corner)
    return corner, cover


def _light(plan: Plan, size: int, chance: np.random.Generator) -> np.ndarray:
    """How much light is left of a lamp that stands to one side, behind a lens that darkens corners."""
    along = np.linspace(-1, 1, size, dtype=np.float32)
    angle = float(chance.uniform(0, 2 * np.pi))
    across = (along[None] * np.float32(np.cos(angle)) + along[:, None] * np.float32(np.sin(angle))) / np.float32(1.41)
    slope, corners = np.float32(plan.attributes["slope"]), np.float32(plan.attributes["vignette"])
    return np.asarray(
        (1 - slope * (across + 1) / 2) * (1 - corners * (along[None] ** 2 + along[:, None] ** 2) / 2), np.float32
    )


def _things(owner: np.ndarray, middles: np.ndarray, radii: np.ndarray, whole: np.ndarray) -> Objects:
    """One thing a cap with the pixels that are seen of it; the whole circle and its visible share are details."""
    masks = owner[None] == np.arange(1, len(radii) + 1, dtype=np.int16)[:, None, None]
    seen = masks.sum((1, 2))
    details = tuple(
        {"x": round(x, 3), "y": round(y, 3), "radius": round(radius, 3), "visible": round(share, 3)}
        for (x, y), radius, share in zip(middles.tolist(), radii.tolist(), (seen / whole).tolist(), strict=True)
    )
    found = Objects(
        boxes_of(masks), np.zeros(len(radii), np.int64), ("mushroom",), masks=masks, details=details
    )  # fmt: skip
    return found.take(seen >= 8)


WORLD = World(
    names={
        "labels": CROWDS,
        "objects": ("mushroom",),
        "rotated": ("mushroom",),
        "regions": REGIONS,
        "heatmap": (),
        "value": ("mushroom",),
        "picture": (),
        "text": (),
    },
    default="objects",
    plan=plan,
    draw=draw,
)
