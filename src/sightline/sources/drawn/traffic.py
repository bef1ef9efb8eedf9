"""Who and what stands on a street: cars, pedestrians with joints, signs, traffic lights, trees, houses."""

from __future__ import annotations

import numpy as np

from sightline.sources.drawn.stage import Colour, Stage

JOINTS = (
    "head", "left shoulder", "right shoulder", "left hand", "right hand", "left hip", "right hip", "left knee",
    "right knee", "left foot", "right foot",
)  # fmt: skip
MIRROR = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9)
PAINTS: tuple[Colour, ...] = (
    (0.72, 0.10, 0.10), (0.12, 0.24, 0.52), (0.82, 0.83, 0.84), (0.16, 0.17, 0.19), (0.55, 0.57, 0.60),
    (0.86, 0.70, 0.16), (0.14, 0.40, 0.32),
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = (
    (0.75, 0.20, 0.18), (0.18, 0.30, 0.60), (0.85, 0.80, 0.70), (0.20, 0.45, 0.30), (0.25, 0.25, 0.28),
    (0.80, 0.55, 0.20), (0.55, 0.30, 0.55),
)  # fmt: skip
_SKINS: tuple[Colour, ...] = ((0.88, 0.69, 0.56), (0.72, 0.52, 0.38), (0.45, 0.31, 0.23))
_WALLS: tuple[Colour, ...] = (
    (0.66, 0.52, 0.42), (0.72, 0.66, 0.56), (0.55, 0.36, 0.30), (0.58, 0.60, 0.62), (0.76, 0.70, 0.62),
    (0.48, 0.46, 0.46),
)  # fmt: skip


def times(colour: Colour, share: float) -> Colour:
    """A colour in more or less light, never beyond white."""
    return min(1.0, colour[0] * share), min(1.0, colour[1] * share), min(1.0, colour[2] * share)


def car(stage: Stage, x: float, z: float, paint: Colour, owner: int, *, oncoming: bool, lit: bool) -> None:
    """A car from its near end: sides, roof and cabin, glass, lamps, plate, wheels."""
    half, low, belt, top, long = 0.88, 0.28, 0.92, 1.46, 4.1
    side = half if x < 0 else -half  # the flank that faces the middle of the road is the one seen
    near, far = z, z + long
    for axle in (near + 0.75, far - 0.85):
        wheel = _ring(x + side * 0.98, 0.32, axle, 0.33, side=True)
        stage.faces(wheel[None], (0.05, 0.05, 0.06), owner)
    stage.faces(
        np.array([_box_end(x + s * 0.62, 0.11, 0.0, 0.3, near + 0.1) for s in (-1, 1)]), (0.04, 0.04, 0.05), owner
    )
    stage.face(
        [(x + side, low, near), (x + side, belt, near), (x + side, belt, far), (x + side, low, far)],
        times(paint, 0.72),
        owner,
    )
    for axle in (near + 0.75, far - 0.85):
        stage.faces(_ring(x + side, 0.32, axle, 0.31, side=True)[None], (0.06, 0.06, 0.07), owner)
        stage.faces(_ring(x + side, 0.32, axle, 0.17, side=True)[None], (0.5, 0.5, 0.52), owner)
    roof_near, roof_far, inset = near + (1.75 if oncoming else 0.75), far - (0.9 if oncoming else 1.5), 0.18
    slim = half - inset
    cabin = side - np.sign(side) * inset
    deck_near = near + (1.15 if oncoming else 0.3)
    stage.face(
        [(x - half, belt, near), (x + half, belt, near), (x + half, belt, deck_near), (x - half, belt, deck_near)],
        times(paint, 1.2),
        owner,
    )
    glass_side = [
        (x + side, belt, deck_near),
        (x + cabin, top, roof_near),
        (x + cabin, top, roof_far),
        (x + side, belt, far - 0.5),
    ]
    stage.face(glass_side, (0.12, 0.15, 0.18), owner)
    stage.face(
        [
            (x - slim, top, roof_near),
            (x + slim, top, roof_near),
            (x + slim, top + 0.03, roof_far),
            (x - slim, top + 0.03, roof_far),
        ],
        times(paint, 1.25),
        owner,
    )
    shell = [
        (x - half, belt, deck_near),
        (x - slim, top, roof_near),
        (x + slim, top, roof_near),
        (x + half, belt, deck_near),
    ]
    stage.face(shell, times(paint, 0.95), owner)
    glass = [
        (x - half * 0.9, belt + 0.04, deck_near),
        (x - slim * 0.9, top - 0.06, roof_near),
        (x + slim * 0.9, top - 0.06, roof_near),
    ]
    stage.face([*glass, (x + half * 0.9, belt + 0.04, deck_near)], (0.20, 0.26, 0.31), owner)
    shine = [
        (x - half * 0.5, belt + 0.04, deck_near),
        (x - slim * 0.5, top - 0.06, roof_near),
        (x - slim * 0.1, top - 0.06, roof_near),
    ]
    stage.face([*shine, (x - half * 0.25, belt + 0.04, deck_near)], (0.34, 0.41, 0.46), owner)
    stage.faces(_box_end(x, half, low, belt, near)[None], paint, owner)
    stage.faces(_box_end(x, half * 0.98, belt - 0.1, belt, near)[None], times(paint, 1.22), owner)
    stage.faces(_box_end(x, half, low, low + 0.2, near)[None], (0.10, 0.10, 0.11), owner)
    stage.faces(_box_end(x, 0.26, 0.44, 0.56, near)[None], (0.85, 0.84, 0.78), owner)
    glow: Colour = (1.0, 0.94, 0.78) if oncoming else (0.85, 0.08, 0.06)
    tone = glow if lit else times(glow, 0.8)
    if oncoming:
        stage.faces(_box_end(x, 0.46, 0.60, 0.74, near)[None], (0.07, 0.07, 0.08), owner)
    for s in (-1, 1):
        stage.faces(_box_end(x + s * 0.68, 0.15, 0.62, 0.78, near)[None], tone, owner)
        if lit:
            stage.lamp((x + s * 0.68, 0.70, near), 0.22 if oncoming else 0.16, glow)


def _box_end(x: float, half: float, low: float, high: float, z: float) -> np.ndarray:
    return np.array([[x - half, low, z], [x - half, high, z], [x + half, high, z], [x + half, low, z]])


def _ring(x: float, y: float, z: float, radius: float, *, side: bool = False) -> np.ndarray:
    """A disc that faces aside or the camera, as twelve corners."""
    turn = np.arange(12) * np.pi / 6
    along, up = np.cos(turn) * radius, y + np.sin(turn) * radius
    still = np.zeros(12)
    return np.stack([x + still, up, z + along] if side else [x + along, up, z + still], 1)


def pedestrian(stage: Stage, x: float, z: float, owner: int, chance: np.random.Generator) -> np.ndarray:
    """Somebody walking; answers (11, 3) joints in metres."""
    tall = float(chance.uniform(1.55, 1.85))
    swing, away = float(chance.uniform(-0.42, 0.42)), bool(chance.random() < 0.4)
    facing = float(chance.choice([0.0, np.pi / 2, -np.pi / 2], p=[0.4, 0.3, 0.3])) + (np.pi if away else 0.0)
    aside, ahead = np.array([np.cos(facing), 0, np.sin(facing)]), np.array([np.sin(facing), 0, -np.cos(facing)])
    up, foot = np.array([0, tall, 0]), np.array([x, 0, z])
    shirt, trousers = (_CLOTHES[int(chance.integers(len(_CLOTHES)))] for _ in range(2))
    skin = _SKINS[int(chance.integers(len(_SKINS)))]
    joints = np.zeros((11, 3))
    joints[0] = foot + up * 0.92
    for number, s in ((0, 1), (1, -1)):  # the left side first; facing the camera, it lies to the right
        joints[1 + number] = foot + up * 0.80 + aside * s * 0.19
        joints[3 + number] = foot + up * 0.50 + aside * s * 0.27 - ahead * swing * s * 0.8
        joints[5 + number] = foot + up * 0.50 + aside * s * 0.10
        joints[7 + number] = foot + up * 0.28 + aside * s * 0.11 + ahead * swing * s * 0.55
        joints[9 + number] = foot + up * 0.03 + aside * s * 0.11 + ahead * swing * s * 0.95
    for number in (0, 1):
        shade = 1.0 if number == 0 else 0.82
        stage.limb(joints[5 + number], joints[7 + number], 0.17, times(trousers, shade), owner)
        stage.limb(joints[7 + number], joints[9 + number], 0.13, times(trousers, shade * 0.9), owner)
        stage.limb(joints[9 + number], joints[9 + number] + ahead * 0.12, 0.10, (0.10, 0.09, 0.09), owner)
    stage.limb(joints[2], joints[4], 0.11, times(shirt, 0.75), owner)
    stage.limb((joints[1] + joints[2]) / 2 - up * 0.02, (joints[5] + joints[6]) / 2, 0.36, shirt, owner)
    stage.limb(joints[1], joints[2], 0.15, shirt, owner)
    stage.limb(joints[1], joints[3], 0.11, times(shirt, 0.88), owner)
    for hand in (3, 4):
        stage.ball(joints[hand], 0.06, skin, owner)
    stage.limb(foot + up * 0.82, joints[0], 0.10, times(skin, 0.85), owner)
    stage.ball(joints[0] + up * 0.015, 0.125, times(skin, 0.35) if away else (0.16, 0.11, 0.08), owner)
    if not away:
        stage.ball(joints[0] - up * 0.008, 0.108, skin, owner)
    return joints


def sign(stage: Stage, x: float, z: float, kind: int, owner: int) -> None:
    """A pole with a disc, a triangle or an octagon."""
    stage.face([(x - 0.04, 0, z), (x - 0.04, 2.2, z), (x + 0.04, 2.2, z), (x + 0.04, 0, z)], (0.48, 0.49, 0.5), owner)
    turn = {
        0: np.arange(20) * np.pi / 10,
        1: np.arange(3) * 2 * np.pi / 3 + np.pi / 2,
        2: np.arange(8) * np.pi / 4 + np.pi / 8,
    }[kind]
    red, white = (0.80, 0.07, 0.09), (0.94, 0.94, 0.92)
    for share, tone in ((1.0, white if kind == 2 else red), (0.9 if kind == 2 else 0.72, red if kind == 2 else white)):
        plate = np.stack([x + np.cos(turn) * 0.44 * share, 2.5 + np.sin(turn) * 0.44 * share, np.full(len(turn), z)], 1)
        stage.faces(plate[None], tone, owner)
    mark = white if kind == 2 else (0.10, 0.10, 0.10)
    wide, tall = (0.26, 0.07) if kind == 2 else (0.05, 0.14)
    stage.faces(_box_end(x, wide, 2.46 - tall, 2.46 + tall, z)[None], mark, owner)


def light(stage: Stage, x: float, z: float, phase: int, owner: int) -> None:
    """A traffic light on its pole; phase 0 red, 1 amber, 2 green."""
    stage.face([(x - 0.06, 0, z), (x - 0.06, 2.9, z), (x + 0.06, 2.9, z), (x + 0.06, 0, z)], (0.17, 0.18, 0.19), owner)
    stage.faces(_box_end(x, 0.24, 2.5, 3.75, z)[None], (0.08, 0.09, 0.09), owner)
    tones: tuple[Colour, ...] = ((1.0, 0.16, 0.10), (1.0, 0.70, 0.12), (0.20, 0.95, 0.45))
    for number, tone in enumerate(tones):
        bright = 1.0 if number == phase else 0.2
        stage.faces(_ring(x, 3.52 - 0.4 * number, z, 0.15)[None], times(tone, bright), owner)
        if number == phase:
            stage.lamp((x, 3.52 - 0.4 * number, z), 0.22, tone)


def tree(stage: Stage, x: float, z: float, owner: int, chance: np.random.Generator) -> None:
    """A trunk and a crown of overlapping leaves, darker below."""
    stage.face([(x - 0.13, 0, z), (x - 0.09, 2.6, z), (x + 0.09, 2.6, z), (x + 0.13, 0, z)], (0.24, 0.18, 0.13), owner)
    spots = np.stack([chance.normal(0, 0.66, 45), chance.normal(0, 0.58, 45)], 1)
    for dx, dy in spots[np.argsort(spots[:, 1])]:
        green = times((0.20, 0.33, 0.13), 1.0 + 0.28 * dy + 0.16 * float(chance.normal()))
        stage.ball(np.array([x + dx, 3.5 + dy, z]), 0.34, green, owner)


def house(
    stage: Stage, side: int, near: float, far: float, high: float, owner: int, night: bool, chance: np.random.Generator
) -> None:
    """A facade along the street and the gable towards the camera, with rows of windows and shops below."""
    wall = _WALLS[int(chance.integers(len(_WALLS)))]
    edge, back = side * 7.2, side * 16.0
    stage.face([(edge, 0, near), (edge, high, near), (back, high, near), (back, 0, near)], times(wall, 0.62), owner)
    sunny = 1.0 if side < 0 else 0.8
    stage.face([(edge, 0, near), (edge, high, near), (edge, high, far), (edge, 0, far)], times(wall, sunny), owner)
    stage.face(
        [(edge, high - 0.35, near), (edge, high, near), (edge, high, far), (edge, high - 0.35, far)],
        times(wall, sunny * 0.7),
        owner,
    )
    levels, across = np.arange(3.6, high - 1.6, 2.9), np.arange(near + 0.9, far - 1.2, 2.4)
    frames = np.array(
        [
            [(edge, y, z), (edge, y + 1.6, z), (edge, y + 1.6, z + 1.2), (edge, y, z + 1.2)]
            for y in levels
            for z in across
        ]
    )
    shops = np.array([[(edge, 0.5, z), (edge, 2.6, z), (edge, 2.6, z + 1.9), (edge, 0.5, z + 1.9)] for z in across])
    panes = np.concatenate([part.reshape(-1, 4, 3) for part in (frames, shops)])
    bright = chance.random(len(panes)) < (0.45 if night else 0.0)
    stage.faces(panes[~bright], (0.06, 0.07, 0.09) if night else (0.22, 0.28, 0.34), owner, apart=True)
    stage.faces(panes[bright], (1.0, 0.82, 0.48), owner, apart=True)
