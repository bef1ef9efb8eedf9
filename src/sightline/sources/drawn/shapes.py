"""The easy world: a few clearly coloured solids of one shape on a table, lit from a side."""

from __future__ import annotations

import numpy as np

from sightline.core.annotations import Heatmap, Labels, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, table
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, things
from sightline.sources.drawn.solids import Eye

NAMES = ("sphere", "cube", "cone", "cylinder")
REGIONS = ("table", *NAMES)


def plan(seed: int, index: int) -> Plan:
    """The shape, the table and the colours."""
    chance = generator("drawn", "shapes", "plan", seed, index)
    count = int(chance.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
    colours = [str(colour) for colour in chance.choice(list(table.COLOURS), count, replace=False)]
    facts = {"table": str(chance.choice(table.CLOTHS)), "colours": tuple(colours)}
    return Plan(balanced(NAMES, "shapes", seed, index), facts)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """The solids of a plan."""
    chance = generator("drawn", "shapes", "scene", seed, index)
    shape, colours = str(plan.label), list(plan.attributes["colours"])
    radius = {1: (0.72, 0.95), 2: (0.54, 0.68), 3: (0.46, 0.56)}[len(colours)]
    solids = table.place(chance, [shape] * len(colours), colours, 0.2 if len(colours) == 1 else 0.9, radius)
    eye = Eye(5.2, float(chance.uniform(0.5, 0.75)), 1.45, size)
    view = table.look(solids, eye, table.sun(chance), plan.attributes["table"], chance)
    clean = camera.develop(view.lit, chance, softness=0.45 * size / 256, warmth=float(chance.uniform(-0.05, 0.07)))
    place = NAMES.index(shape)
    found = things(
        view.masks, np.full(len(solids), place), NAMES, keypoints=view.keypoints, mirror=table.MIRROR, least=12
    )  # fmt: skip
    regions = np.where(view.masks.any(0), place + 1, 0).astype(np.uint8)
    near = 1 / view.depth
    near = (near - near.min()) / max(1e-6, float(near.max() - near.min()))
    said = " and ".join(f"a {colour} {shape}" for colour in colours[: len(solids)])
    return Scene(
        camera.sense(clean, chance),
        clean,
        labels=Labels((shape,)),
        objects=found,
        regions=Regions(regions, REGIONS),
        heatmap=Heatmap(near.astype(np.float32), float(near.mean())),
        value=Value(("count",), np.array([len(found)], np.float32)),
        text=Text(f"{said} on a table"),
        attributes=plan.attributes,
    )


WORLD = World(
    names={
        "labels": NAMES,
        "objects": NAMES,
        "rotated": NAMES,
        "regions": REGIONS,
        "heatmap": (),
        "value": ("count",),
        "picture": (),
        "text": (),
    },
    default="labels",
    plan=plan,
    draw=draw,
)
