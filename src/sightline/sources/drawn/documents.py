"""A page photographed on a desk: perspective, folds, shadow, and the exact words of every line."""

from __future__ import annotations

import cv2
import numpy as np

from sightline.core.annotations import Heatmap, Labels, Regions, Text, Value
from sightline.core.chance import generator
from sightline.sources.drawn import camera, pages
from sightline.sources.drawn.scene import Plan, Scene, World, balanced, things
from sightline.sources.drawn.surface import cut, deep, tint

REGIONS = ("desk", "page", "text")
_DESKS = {
    "oak": ("wood", (0.58, 0.40, 0.25), 0.13),
    "walnut": ("wood", (0.34, 0.22, 0.15), 0.16),
    "slate": ("clouds", (0.27, 0.29, 0.33), 0.08),
    "cloth": ("weave", (0.30, 0.38, 0.47), 0.05),
}


def plan(seed: int, index: int) -> Plan:
    """The kind of page, the desk and whether somebody's shadow falls on it."""
    chance = generator("drawn", "documents", "plan", seed, index)
    facts = {
        "desk": str(chance.choice(list(_DESKS))),
        "shadow": bool(chance.random() < 0.6),
        "folded": bool(chance.random() < 0.5),
    }
    return Plan(balanced(pages.KINDS, "documents", seed, index), facts)


def draw(plan: Plan, seed: int, index: int, size: int) -> Scene:
    """The page of a plan, written flat and then laid on the desk by one homography for ink and truth."""
    chance = generator("drawn", "documents", "scene", seed, index)
    unit = size / 256
    page = pages.write(str(plan.label), 1.4 * unit, chance)
    paper = _paper(page, bool(plan.attributes["folded"]), unit, chance)
    rows, columns = page.ink.shape
    corners, degrees = _lie(columns / (1.4 * unit), rows / (1.4 * unit), size, chance)
    flat = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    lay = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    # positions count from the picture's edge, the library counts from the first pixel's centre
    centred = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]]) @ lay @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    seen = cv2.warpPerspective(paper, centred, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    sheet = _polygon(corners, size)
    cover = sheet.astype(np.float32) / 255
    lit = _desk(str(plan.attributes["desk"]), size, chance)
    dark = camera.shadow(cover, (float(chance.uniform(-5, 5)) * unit, float(chance.uniform(2, 6)) * unit), 3 * unit)
    lit *= deep(1 - np.float32(0.6) * dark)
    camera.lay(lit, seen, cover)
    lit *= deep(_light(size, bool(plan.attributes["shadow"]), chance))
    softness = float(chance.uniform(0.25, 0.5)) * unit
    clean = camera.develop(lit, chance, softness=softness, warmth=float(chance.uniform(-0.03, 0.09)))
    quads = cv2.perspectiveTransform(page.quads.reshape(-1, 1, 2), lay).reshape(-1, 4, 2)
    masks = np.array([_polygon(quad, size) > 127 for quad in quads])
    classes = np.array([pages.NAMES.index(line.name) for line in page.lines])
    texts = tuple(line.text for line in page.lines)
    found = things(masks, classes, pages.NAMES, texts=texts, least=3)
    words = np.asarray(masks.any(0))
    regions = np.where(words, 2, (sheet > 127).astype(np.uint8)).astype(np.uint8)
    return Scene(
        camera.sense(clean, chance),
        clean,
        labels=Labels((str(plan.label),)),
        objects=found,
        regions=Regions(regions, REGIONS),
        heatmap=Heatmap(words.astype(np.float32), float(words.mean())),
        value=Value(("lines", "degrees"), np.array([len(found), degrees], np.float32)),
        text=Text("\n".join(texts)),
        attributes=plan.attributes,
    )


def _polygon(corners: np.ndarray, size: int) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillPoly(canvas, [np.rint((corners - 0.5) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return canvas


def _lie(wide: float, tall: float, size: int, chance: np.random.Generator) -> tuple[np.ndarray, float]:
    """Corners of the page in the picture, wholly inside it, and how far it is turned, in degrees."""
    turn = float(np.clip(chance.normal(0, 0.09), -0.22, 0.22))
    corners = np.array([[-wide, -tall], [wide, -tall], [wide, tall], [-wide, tall]]) / 2
    cos, sin = np.cos(turn), np.sin(turn)
    corners = corners @ np.array([[cos, sin], [-sin, cos]])
    tilt = chance.uniform(-1, 1, 2) * [0.0009, 0.0011]
    corners = corners / (1 + corners @ tilt)[:, None]
    low, high = corners.min(0), corners.max(0)
    corners *= 256 * float(chance.uniform(0.88, 0.97)) / float((high - low).max())
    low, high = corners.min(0), corners.max(0)
    spare = 256 - (high - low)
    corners += -low + spare * chance.uniform(0.3, 0.7, 2)
    return corners * size / 256, float(np.degrees(turn))


def _paper(page: pages.Page, folded: bool, unit: float, chance: np.random.Generator) -> np.ndarray:
    """Fibres, folds and ink, as light of 0..1."""
    rows, columns = page.ink.shape
    shade = 0.93 + 0.012 * cut("grain", chance, rows, columns) + 0.012 * cut("clouds", chance, rows, columns, unit)
    if folded:
        for share in (1 / 3, 2 / 3):
            away = (np.arange(rows, dtype=np.float32) - np.float32(rows * share)) / np.float32(14 * unit)
            crease = -0.10 * np.sign(away) * np.exp(-np.abs(away)) - 0.12 * np.exp(-((away * 7) ** 2))
            shade = shade + crease[:, None].astype(np.float32)
    ink = page.ink.astype(np.float32) * np.float32(0.86 / 255)
    tone = 1.0, 0.985 - float(chance.uniform(0, 0.02)), 0.95 - float(chance.uniform(0, 0.06))
    blue = float(chance.choice([0.0, 0.22], p=[0.7, 0.3]))
    planes = [
        (shade * np.float32(part)) * (1 - ink * np.float32(1 - more))
        for part, more in zip(tone, (0, blue / 3, blue), strict=True)
    ]
    return np.asarray(cv2.merge(planes))


def _desk(name: str, size: int, chance: np.random.Generator) -> np.ndarray:
    bank, colour, spread = _DESKS[name]
    zoom = size / 256 * (1.0 if bank != "weave" else 1.5)
    return tint(cut(bank, chance, size, size, zoom), colour, spread)


def _light(size: int, shadowed: bool, chance: np.random.Generator) -> np.ndarray:
    """A lamp that falls off to one side, and perhaps the soft edge of a shadow."""
    along = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    turn = float(chance.uniform(0, 2 * np.pi))
    across = along[None] * np.float32(np.cos(turn)) + along[:, None] * np.float32(np.sin(turn))
    light = np.float32(1.03) + np.float32(chance.uniform(0.08, 0.25)) * across
    if shadowed:
        turn, far = float(chance.uniform(0, 2 * np.pi)), float(chance.uniform(0.05, 0.35))
        edge = along[None] * np.float32(np.cos(turn)) + along[:, None] * np.float32(np.sin(turn)) - np.float32(far)
        light = light * (1 - np.float32(0.38) * np.clip(edge * np.float32(14) + np.float32(0.5), 0, 1))
    return light


WORLD = World(
    names={
        "labels": pages.KINDS,
        "objects": pages.NAMES,
        "rotated": pages.NAMES,
        "regions": REGIONS,
        "heatmap": (),
        "value": ("lines", "degrees"),
        "picture": (),
        "text": (),
    },
    default="objects",
    plan=plan,
    draw=draw,
)
