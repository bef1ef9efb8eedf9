"""The same land before and after houses were built or torn down, and spoiled pictures with their clean twins."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.annotations import Heatmap, Labels, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, land
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, things

CHANGES = ("unchanged", "built", "demolished")
THINGS = CHANGES[1:]
REGIONS = ("same", "changed")


def plan(seed: int, index: int) -> Plan:
    """What changed, and how strongly the picture to restore is spoiled (0 and 100 mean not at all)."""
    chance = generator("drawn", "pairs", "plan", seed, index)
    blur = round(float(chance.uniform(0.6, 1.8)), 2) if chance.random() < 0.35 else 0.0
    quality = int(chance.integers(25, 76)) if chance.random() < 0.35 else 100
    facts = {"noise": round(float(chance.uniform(5, 40)), 2), "blur": blur, "quality": quality}
    return Plan(balanced(CHANGES, "pairs", seed, index), facts)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """Both dates share land, light and lens; only houses and the sensor's noise differ."""
    chance = generator("drawn", "pairs", "scene", seed, index)
    turn, rise = float(chance.uniform(0, np.pi)), float(chance.uniform(0, 2 * np.pi))
    sun = float(np.cos(rise)), float(np.sin(rise))
    aside = float(chance.uniform(-0.12, 0.12))
    canvas, dark = land.ground(size, chance, turn, aside), np.zeros((size, size), np.uint8)
    land.plant(canvas, dark, chance, sun, int(chance.integers(18, 45)))
    grain = land.texture(size, chance)
    homes = land.houses(chance, size, turn, aside, int(chance.integers(6, 11)))
    moved = 0 if plan.label == "unchanged" else min(int(chance.integers(1, 4)), len(homes))
    stay = homes[moved:]
    before = homes if plan.label == "demolished" else stay
    after = homes if plan.label == "built" else stay
    warmth, lens = float(chance.uniform(-0.04, 0.06)), int(chance.integers(2**31))
    cleans = []
    for standing in (before, after):
        painted, shaded = canvas.copy(), dark.copy()
        for house in standing:
            land.build(painted, shaded, house, sun)
        lit = land.sunlit(painted, shaded, grain, size)
        cleans.append(camera.develop(lit, generator("drawn", "lens", lens), warmth=warmth))
    changed = np.bitwise_or.reduce(cv2.split(cleans[0] ^ cleans[1])) != 0
    masks = np.zeros((moved, size, size), bool)
    for row, house in enumerate(homes[:moved]):
        foot = np.zeros((size, size), np.uint8)
        land.fill(foot, house.corners(), 255)
        masks[row] = foot > 127
    kind = 0 if plan.label != "demolished" else 1
    found = things(masks, np.full(moved, kind), THINGS)
    counts = [len(found) if plan.label == name else 0 for name in THINGS]
    return Scene(
        camera.sense(cleans[0], chance),
        cleans[0],
        labels=Labels((str(plan.label),)),
        objects=found,
        regions=Regions(changed.astype(np.uint8), REGIONS),
        heatmap=Heatmap(changed.astype(np.float32), float(changed.any())),
        value=Value(THINGS, np.array(counts, np.float32)),
        text=Text("nothing changed" if not moved else f"{moved} house{'s' if moved > 1 else ''} {plan.label}"),
        attributes=plan.attributes,
        after=camera.sense(cleans[1], chance),
        clean_after=cleans[1],
        degraded=_spoil(cleans[0], plan, chance),
    )


def _spoil(clean: np.ndarray, plan: Plan, chance: np.random.Generator) -> np.ndarray:
    """Blur, noise and compression of the plan's strength."""
    blur, quality = float(plan.attributes["blur"]), int(plan.attributes["quality"])
    pixels = cv2.GaussianBlur(clean, (0, 0), blur) if blur else clean
    pixels = camera.speckle(pixels, chance, float(plan.attributes["noise"]))
    return camera.compress(pixels, quality) if quality < 100 else pixels


WORLD = World(
    names={
        "labels": CHANGES,
        "objects": THINGS,
        "rotated": THINGS,
        "regions": REGIONS,
        "heatmap": (),
        "value": THINGS,
        "picture": (),
        "text": (),
    },
    default="picture",
    plan=plan,
    draw=draw,
)
