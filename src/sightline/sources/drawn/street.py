"""A street seen through a windscreen: road, cars, people with joints, signs, lights, in four kinds of weather."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from sightline.core.annotations import Heatmap, Labels, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, traffic, weather
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, things
from sightline.sources.drawn.stage import TALL, Stage

THINGS = ("car", "pedestrian", "sign", "light")
REGIONS = ("sky", "building", "pavement", "road", "marking", "vegetation", "vehicle", "person", "sign", "light")
FAR = 120.0  # metres
_OF = {"car": "vehicle", "pedestrian": "person", "sign": "sign", "light": "light"}
_FIRST = 20  # owners below are regions, from here on things


def plan(seed: int, index: int) -> Plan:
    """The weather and the hour."""
    chance = generator("drawn", "street", "plan", seed, index)
    sky = balanced(weather.KINDS, "street", seed, index)
    hour = int(chance.choice([21, 22, 23]) if sky == "night" else chance.integers(8, 18))
    return Plan(sky, {"weather": sky, "hour": hour})


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """Far things first; every shape is painted into the picture and into the map of owners alike."""
    chance = generator("drawn", "street", "scene", seed, index)
    sky = str(plan.label)
    stage = Stage(size, float(chance.uniform(0.38, 0.46)), float(chance.uniform(0.85, 1.0)))
    _ground(stage, chance)
    _houses(stage, sky == "night", chance)
    kinds, depths, joints, feet = _cast(stage, sky in ("night", "fog", "rain"), chance)
    flat = cv2.resize(stage.canvas, (size, size), interpolation=cv2.INTER_AREA)
    owner = np.ascontiguousarray(stage.owner[1::2, 1::2])
    table = np.arange(256, dtype=np.uint8)
    table[_FIRST : _FIRST + len(kinds)] = [REGIONS.index(_OF[kind]) for kind in kinds]
    regions = table[owner]
    depth = _depth(stage, owner, depths)
    lit = weather.paint(sky, flat, regions, depth, stage, feet, chance)
    clean = camera.develop(
        lit, chance, softness=0.4 * size / 256, warmth=weather.warmth(sky, int(plan.attributes["hour"]))
    )
    masks = owner[None] == np.arange(_FIRST, _FIRST + len(kinds), dtype=np.uint8)[:, None, None]
    points = np.array([_seen(stage, body, owner, _FIRST + row) for row, body in enumerate(joints)], np.float32)
    classes = np.array([THINGS.index(kind) for kind in kinds])
    found = things(
        masks, classes, THINGS, least=max(8, size // 16), keypoints=points.reshape(-1, len(traffic.JOINTS), 3),
        mirror=traffic.MIRROR,
    )  # fmt: skip
    counts = np.bincount(found.classes, minlength=len(THINGS))
    near = (TALL / np.maximum(depth, TALL)).astype(np.float32)
    noise = float(chance.uniform(4, 8)) if sky == "night" else None
    return Scene(
        camera.sense(clean, chance, noise=noise),
        clean,
        labels=Labels((sky,)),
        objects=found,
        regions=Regions(regions, REGIONS),
        heatmap=Heatmap(near, float(near.mean())),
        value=Value(THINGS, counts.astype(np.float32)),
        text=Text(f"a street, {sky}, with {counts[0]} cars and {counts[1]} pedestrians"),
        attributes=plan.attributes,
    )


def _ground(stage: Stage, chance: np.random.Generator) -> None:
    """Pavements, road and marks, as planes that run to the horizon."""
    horizon = round(stage.horizon * 2 * stage.size)
    grey = float(chance.uniform(0.30, 0.38))
    cv2.rectangle(stage.canvas, (0, horizon), (2 * stage.size, 2 * stage.size), (125, 122, 116), -1)
    stage.owner[horizon:] = REGIONS.index("pavement")
    road, mark = REGIONS.index("road"), REGIONS.index("marking")
    near = 0.8
    stage.face(
        [(-4.3, 0, near), (-4.3, 0, 400), (4.3, 0, 400), (4.3, 0, near)], (0.62, 0.61, 0.58), REGIONS.index("pavement")
    )
    stage.face([(-4.1, 0, near), (-4.1, 0, 400), (4.1, 0, 400), (4.1, 0, near)], (grey, grey, grey + 0.01), road)
    white = (0.86, 0.86, 0.82)
    for x in (-3.8, 3.8):
        stage.face([(x - 0.07, 0, near), (x - 0.07, 0, 150), (x + 0.07, 0, 150), (x + 0.07, 0, near)], white, mark)
    starts = np.arange(1.0 + float(chance.uniform(0, 3)), 70, 6.0)
    dashes = np.array([[(-0.08, 0, z), (-0.08, 0, z + 3), (0.08, 0, z + 3), (0.08, 0, z)] for z in starts])
    stage.faces(dashes, white, mark, apart=True)
    if chance.random() < 0.4:
        z = float(chance.uniform(6, 14))
        stripes = [
            [(x, 0, z), (x, 0, z + 2.4), (x + 0.45, 0, z + 2.4), (x + 0.45, 0, z)] for x in np.arange(-3.5, 3.2, 0.95)
        ]
        stage.faces(np.array(stripes), white, mark, apart=True)


def _houses(stage: Stage, night: bool, chance: np.random.Generator) -> None:
    """Both sides of the street, from far to near, with gaps for the sky."""
    for side in (-1, 1):
        edges = [float(chance.uniform(3, 9))]
        while edges[-1] < 75:
            edges.append(edges[-1] + float(chance.uniform(9, 17)))
        for near, far in reversed(list(pairwise(edges))):
            if chance.random() < 0.85:
                gap = float(chance.uniform(0, 1.5))
                traffic.house(
                    stage,
                    side,
                    near,
                    far - gap,
                    float(chance.uniform(6.5, 15)),
                    REGIONS.index("building"),
                    night,
                    chance,
                )


def _cast(
    stage: Stage, lit: bool, chance: np.random.Generator
) -> tuple[list[str], list[float], list[np.ndarray | None], list[tuple[float, float, float, float]]]:
    """All that stands on the street, far first: kinds, depths, joints, and (x, z, half width, length) of feet."""
    cast: list[tuple[float, str, float]] = []
    for lane, low in ((2.0, 6.0), (-2.0, 5.5)):
        z = low + float(chance.exponential(5.0))
        for _ in range(int(chance.integers(0, 4))):
            cast.append((z, "car", lane + float(chance.normal(0, 0.12))))
            z += 6.5 + float(chance.exponential(8.0))
    for _ in range(int(chance.integers(1, 6))):
        x = float(chance.uniform(4.7, 6.4) * chance.choice([-1, 1]))
        cast.append(
            (float(chance.uniform(5.5, 22)), "pedestrian", x if chance.random() < 0.8 else float(chance.uniform(-3, 3)))
        )
    for kind, most in (("sign", 3), ("light", 3), ("tree", 4)):
        for _ in range(int(chance.integers(0, most))):
            x = {"sign": 4.6, "light": 4.5, "tree": 5.6}[kind] * float(chance.choice([-1, 1]))
            cast.append((float(chance.uniform(6.5 if kind != "tree" else 9, 32)), kind, x))
    cast.sort(reverse=True)
    kinds: list[str] = []
    depths: list[float] = []
    joints: list[np.ndarray | None] = []
    feet: list[tuple[float, float, float, float]] = []
    for z, kind, x in cast:
        owner, body = _FIRST + len(kinds), None
        if kind == "tree":
            traffic.tree(stage, x, z, REGIONS.index("vegetation"), chance)
            continue
        if kind == "car":
            paint = traffic.PAINTS[int(chance.integers(len(traffic.PAINTS)))]
            traffic.car(stage, x, z, paint, owner, oncoming=x < 0, lit=lit)
            feet.append((x, z, 0.98, 4.2))
        elif kind == "pedestrian":
            body = traffic.pedestrian(stage, x, z, owner, chance)
            feet.append((x, z - 0.2, 0.35, 0.5))
        elif kind == "sign":
            traffic.sign(stage, x, z, int(chance.integers(3)), owner)
        else:
            traffic.light(stage, x, z, int(chance.integers(3)), owner)
        kinds.append(kind)
        depths.append(z)
        joints.append(body)
    return kinds, depths, joints, feet


def _seen(stage: Stage, body: np.ndarray | None, owner: np.ndarray, mine: int) -> np.ndarray:
    """Joints in the picture: 2 where the pixel is the person's own, 1 where something stands before it."""
    if body is None:
        return np.zeros((len(traffic.JOINTS), 3))
    at = stage.project(body)
    column, row = (np.clip(at[:, axis].astype(int), 0, stage.size - 1) for axis in (0, 1))
    return np.concatenate([at, np.where(owner[row, column] == mine, 2.0, 1.0)[:, None]], 1)


def _depth(stage: Stage, owner: np.ndarray, depths: list[float]) -> np.ndarray:
    """Metres ahead for every pixel: planes in closed form, things at their near end, the sky at the far limit."""
    size = stage.size
    down = (np.arange(size, dtype=np.float32) + 0.5 - np.float32(stage.horizon * size))[:, None]
    across = np.abs(np.arange(size, dtype=np.float32) + 0.5 - np.float32(size / 2))[None]
    reach = np.float32(stage.focal * size)
    ground = reach * np.float32(TALL) / np.maximum(down, 0.5)
    wall = reach * np.float32(7.2) / np.maximum(across, 0.5)
    fixed = np.full(256, FAR, np.float32)
    fixed[_FIRST : _FIRST + len(depths)] = depths
    fixed[REGIONS.index("vegetation")] = 15.0
    depth = fixed[owner]
    below = (owner >= REGIONS.index("pavement")) & (owner <= REGIONS.index("marking"))
    depth = np.where(below, ground, depth)
    depth = np.where(owner == REGIONS.index("building"), wall, depth)
    return np.asarray(np.minimum(depth, FAR), np.float32)


WORLD = World(
    names={
        "labels": weather.KINDS,
        "objects": THINGS,
        "rotated": THINGS,
        "regions": REGIONS,
        "heatmap": (),
        "value": THINGS,
        "picture": (),
        "text": (),
    },
    default="objects",
    plan=plan,
    draw=draw,
)
