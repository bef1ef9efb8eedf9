"""Factory parts on a belt, a steel sheet or a mat, sound or with one kind of defect."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.annotations import Heatmap, Labels, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, defects, outline
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, things
from sightline.sources.drawn.surface import cut, tint

CONDITIONS = ("good", *defects.NAMES)
PARTS = ("washer", "nut", "gear", "plate", "bolt")
THINGS = (*PARTS, *defects.NAMES)
REGIONS = ("background", "part", *defects.NAMES)
_METALS = {
    "steel": (0.70, 0.72, 0.75),
    "brass": (0.80, 0.63, 0.30),
    "bronze": (0.62, 0.52, 0.40),
    "black": (0.26, 0.27, 0.29),
}
_GROUNDS = ("belt", "sheet", "mat")


def plan(seed: int, index: int) -> Plan:
    """The condition, the ground and the metal."""
    chance = generator("drawn", "parts", "plan", seed, index)
    facts = {"ground": str(chance.choice(_GROUNDS)), "metal": str(chance.choice(list(_METALS), p=[0.5, 0.2, 0.2, 0.1]))}
    return Plan(balanced(CONDITIONS, "parts", seed, index), facts)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """One to three parts; a defect sits on the first."""
    chance = generator("drawn", "parts", "scene", seed, index)
    unit = size / 256
    turn = float(chance.uniform(0, 2 * np.pi))
    light = float(np.cos(turn)) * 0.55, float(np.sin(turn)) * 0.55, 0.83
    lit = _ground(plan.attributes["ground"], size, chance)
    masks, classes, defect = [], [], np.zeros((size, size), bool)
    for row, (x, y, radius) in enumerate(_places(chance, size)):
        name = PARTS[int(chance.integers(len(PARTS)))]
        distance, relief = _part(name, radius, chance)
        flaw = str(plan.label) if row == 0 else "good"
        colour = _colour(plan.attributes["metal"], distance.shape[0], chance)
        body = defects.Body(distance, relief, colour, np.zeros_like(distance))
        body = defects.spoil(flaw, body, radius, chance)
        cover = outline.cover_of(body.distance)
        half = len(cover) // 2
        corner = (x - half, y - half)
        _throw(lit, cover, corner, light, unit)
        camera.lay(lit, outline.metal(body.relief, body.colour, light, 0.35), cover, corner)
        masks.append(camera.stamp(cover, corner, size))
        classes.append(THINGS.index(name))
        if flaw != "good":
            defect = camera.stamp(body.cover, corner, size)
            masks.append(defect)
            classes.append(THINGS.index(flaw))
    clean = camera.develop(lit, chance, softness=0.5 * unit, warmth=float(chance.uniform(-0.04, 0.05)))
    stack = np.array(masks)
    kinds = np.array(classes)
    whole = stack[kinds < len(PARTS)].any(0)
    regions = np.asarray(whole, np.uint8)
    if plan.label != "good":
        regions[defect] = REGIONS.index(str(plan.label))
    found = things(stack, kinds, THINGS, least=4)
    count = int((kinds < len(PARTS)).sum())
    first = PARTS[classes[0]]
    said = f"a {plan.attributes['metal']} {first} " + (
        "in good order" if plan.label == "good" else f"with a {plan.label}"
    )
    return Scene(
        camera.sense(clean, chance),
        clean,
        labels=Labels((str(plan.label),)),
        objects=found,
        regions=Regions(regions, REGIONS),
        heatmap=Heatmap(defect.astype(np.float32), float(defect.any())),
        value=Value(("parts", "defect_area"), np.array([count, defect.sum()], np.float32)),
        text=Text(said),
        attributes=plan.attributes,
    )


def _places(chance: np.random.Generator, size: int) -> list[tuple[int, int, float]]:
    """Middles and radii: one large part, or two or three that stand apart."""
    count = int(chance.choice([1, 2, 3], p=[0.75, 0.15, 0.1]))
    if count == 1:
        x, y = chance.uniform(0.44, 0.56, 2) * size
        return [(round(x), round(y), float(chance.uniform(0.34, 0.41)) * size)]
    turn = chance.uniform(0, 2 * np.pi)
    away = (0.23 if count == 2 else 0.27) * size
    radius = (0.20 if count == 2 else 0.17) * size
    angles = turn + np.arange(count) * 2 * np.pi / count
    return [
        (
            round(size / 2 + float(np.cos(angle)) * away * 1.05),
            round(size / 2 + float(np.sin(angle)) * away * 1.05),
            float(radius * chance.uniform(0.88, 1.04)),
        )
        for angle in angles
    ]


def _part(name: str, radius: float, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance and relief of one part."""
    at = outline.grid(int(radius * 1.04) + 3, float(chance.uniform(0, 2 * np.pi)))
    soft = max(1.5, 0.07 * radius)
    if name == "washer":
        distance = np.maximum(outline.disc(at, radius), -outline.disc(at, radius * chance.uniform(0.4, 0.55)))
    elif name == "nut":
        hole = outline.disc(at, radius * 0.5)
        distance = np.maximum(outline.hexagon(at, radius * 0.87), -hole)
        crown = outline.bevel(outline.disc(at, radius * 0.9), radius * 0.18)
        thread = np.where(hole < soft * 1.6, np.float32(0.5) * np.sin(hole * np.float32(2.2)), 0)
        return distance, outline.bevel(distance, soft) + crown + thread
    elif name == "gear":
        teeth = int(chance.integers(10, 17))
        distance = np.maximum(outline.gear(at, radius * 0.9, teeth, radius * 0.09), -outline.disc(at, radius * 0.2))
        rim = outline.bevel(-np.maximum(outline.disc(at, radius * 0.7), -outline.disc(at, radius * 0.36)), soft * 1.2)
        return distance, outline.bevel(distance, soft * 0.7) + rim
    elif name == "plate":
        tall = float(chance.uniform(0.5, 0.66)) * radius
        distance = outline.block(at, radius * 0.84, tall * 0.95, radius * 0.12)
        for side in (-1, 1):
            distance = np.maximum(distance, -outline.disc(at, radius * 0.15, side * radius * 0.55))
    else:
        shaft = outline.block(at, radius * 0.74, radius * 0.2, radius * 0.05, radius * 0.22)
        head = outline.block(at, radius * 0.2, radius * 0.42, radius * 0.05, -radius * 0.68)
        round_shaft = np.sqrt(np.maximum((radius * 0.2) ** 2 - at[1] ** 2, 0)) * 0.9
        thread = np.sin(at[0] * np.float32(2 * np.pi / max(4.0, radius * 0.075)) + at[1] * np.float32(0.12))
        turned = np.where(at[0] > -radius * 0.2, thread * radius * 0.008 * 1.3, 0)
        faces = np.maximum(np.float32(radius * 0.42) - np.maximum(np.abs(at[1]), np.float32(radius * 0.2)), 0) * 0.7
        relief = np.where(
            head < 0, outline.bevel(head, soft) + faces + radius * 0.2, (round_shaft + turned) * (shaft < 1)
        )
        return np.minimum(shaft, head), np.asarray(relief, np.float32)
    return distance, outline.bevel(distance, soft)


def _colour(metal: str, side: int, chance: np.random.Generator) -> np.ndarray:
    """Brushed metal with a slow cloud of wear."""
    field = cut("brushed", chance, side, side) * 0.6 + cut("clouds", chance, side, side, 0.6) * 0.5
    return tint(field, _METALS[metal], 0.06)


def _throw(
    lit: np.ndarray, cover: np.ndarray, corner: tuple[int, int], light: tuple[float, float, float], unit: float
) -> None:
    """A soft shadow away from the light and a dark seam where the part touches the ground."""
    room = int(14 * unit) + 4
    wide = cv2.copyMakeBorder(cover, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    dark = camera.shadow(wide, (-light[0] * 14 * unit, -light[1] * 14 * unit), 3.2 * unit)
    camera.lay(lit, (0.015, 0.015, 0.02), np.minimum(dark * np.float32(0.72), 1), (corner[0] - room, corner[1] - room))


def _ground(name: str, size: int, chance: np.random.Generator) -> np.ndarray:
    """What the parts lie on, lit a little more from one side."""
    along = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    side = chance.uniform(-0.22, 0.22, 2)
    slope = 1 + np.float32(side[0]) * along[None] + np.float32(side[1]) * along[:, None]
    zoom = size / 256
    if name == "sheet":
        field = cut("brushed", chance, size, size) + 0.6 * cut("clouds", chance, size, size, zoom)
        return tint((1 + 0.075 * field) * slope - 1, (0.50, 0.52, 0.55), 1.0)
    if name == "mat":
        field = cut("grain", chance, size, size) * 0.5 + cut("clouds", chance, size, size, zoom) * 0.6
        return tint((1 + 0.06 * field) * slope - 1, (0.20, 0.34, 0.40), 1.0)
    ribs = np.sin(np.arange(size, dtype=np.float32) * np.float32(0.52 / zoom) + np.float32(chance.uniform(0, 6)))
    field = (
        cut("grain", chance, size, size) * 0.06 + cut("clouds", chance, size, size, zoom) * 0.07 + ribs[:, None] * 0.09
    )
    return tint((1 + field) * slope - 1, (0.29, 0.29, 0.30), 1.0)


WORLD = World(
    names={
        "labels": CONDITIONS,
        "objects": THINGS,
        "rotated": THINGS,
        "regions": REGIONS,
        "heatmap": (),
        "value": ("parts", "defect_area"),
        "picture": (),
        "text": (),
    },
    default="labels",
    plan=plan,
    draw=draw,
)
