"""Solids that slide to and fro on a table, filmed: sixteen frames a video, one identity a solid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sightline.core.annotations import Heatmap, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, table
from sightline.sources.drawn.scene import Plan, Scene, World, things
from sightline.sources.drawn.shapes import NAMES, REGIONS
from sightline.sources.drawn.solids import Eye, Solid

FRAMES = 16
RATE = 8.0  # frames a second


def plan(seed: int, index: int) -> Plan:
    """The video, the frame within it, and what stays the same throughout."""
    video, frame = divmod(index, FRAMES)
    chance = generator("drawn", "motion", "plan", seed, video)
    name = f"motion-{seed}-{video:04d}"
    facts = {"video": name, "frame": frame, "time": frame / RATE, "table": str(chance.choice(table.CLOTHS))}
    return Plan(None, facts, name)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """One frame; everything but the places and the sensor's noise is drawn from the video's own chance."""
    chance = generator("drawn", "motion", "video", seed, index // FRAMES)
    solids = [moved(solid, path, float(plan.attributes["time"])) for solid, path in _cast(chance)]
    eye = Eye(5.4, float(chance.uniform(0.7, 1.0)), 1.4, size)
    view = table.look(solids, eye, table.sun(chance), plan.attributes["table"], chance)
    clean = camera.develop(view.lit, chance, softness=0.45 * size / 256, warmth=float(chance.uniform(-0.05, 0.07)))
    classes = np.array([NAMES.index(solid.shape) for solid in solids])
    found = things(
        view.masks, classes, NAMES, keypoints=view.keypoints, mirror=table.MIRROR, tracks=np.arange(1, len(solids) + 1)
    )  # fmt: skip
    regions = (view.masks * (classes + 1)[:, None, None]).sum(0).astype(np.uint8)
    near = 1 / view.depth
    near = (near - near.min()) / max(1e-6, float(near.max() - near.min()))
    return Scene(
        camera.sense(clean, generator("drawn", "motion", "sensor", seed, index)),
        clean,
        objects=found,
        regions=Regions(regions, REGIONS),
        heatmap=Heatmap(near.astype(np.float32), float(near.mean())),
        value=Value(("count",), np.array([len(found)], np.float32)),
        text=Text(f"{len(found)} solids sliding on a table"),
        attributes=plan.attributes,
    )


def _cast(chance: np.random.Generator) -> list[tuple[Solid, np.ndarray]]:
    """Two to four solids in lanes side by side, each with its start, speed and lane direction."""
    count = int(chance.integers(2, 5))
    turn = float(chance.uniform(0, np.pi))
    colours = [str(colour) for colour in chance.choice(list(table.COLOURS), count, replace=False)]
    shapes = [str(shape) for shape in chance.choice(NAMES, count)]
    radius = {2: 0.42, 3: 0.36, 4: 0.3}[count]
    cast = []
    for lane, (shape, colour) in enumerate(zip(shapes, colours, strict=True)):
        solid = table.place(chance, [shape], [colour], 0.1, (radius * 0.85, radius))[0]
        aside = (lane - (count - 1) / 2) * 2.3 * radius
        start, speed = float(chance.uniform(-1, 1)), float(chance.uniform(0.3, 1.3) * chance.choice([-1, 1]))
        cast.append((solid, np.array([aside, start, speed, turn])))
    return cast


def moved(solid: Solid, path: np.ndarray, time: float) -> Solid:
    """The solid at a time: along its lane, turned back at either end."""
    aside, start, speed, turn = (float(part) for part in path)
    along = abs((start + speed * time + 1.0) % 4.0 - 2.0) - 1.0
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    return replace(solid, x=along * cos - aside * sin, y=along * sin + aside * cos, yaw=solid.yaw + speed * time * 0.3)


WORLD = World(
    names={
        "objects": NAMES,
        "rotated": NAMES,
        "regions": REGIONS,
        "heatmap": (),
        "value": ("count",),
        "picture": (),
        "text": (),
    },
    default="objects",
    plan=plan,
    draw=draw,
)
