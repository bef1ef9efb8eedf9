"""A table with solids on it, seen by a camera: picture, masks, depth and keypoints at one geometry."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sightline.sources.drawn.camera import lay
from sightline.sources.drawn.solids import Eye, Solid, meet, shade
from sightline.sources.drawn.surface import bank, deep

COLOURS = {
    "red": (0.86, 0.16, 0.14),
    "blue": (0.15, 0.36, 0.86),
    "green": (0.16, 0.66, 0.28),
    "yellow": (0.95, 0.78, 0.12),
    "orange": (0.95, 0.46, 0.10),
    "purple": (0.56, 0.24, 0.74),
    "white": (0.92, 0.92, 0.90),
    "teal": (0.10, 0.66, 0.66),
}
POINTS = ("top", "left", "right", "front")
MIRROR = (0, 2, 1, 3)
_CLOTHS = {
    "wood": ("wood", (0.62, 0.43, 0.27), 0.13),
    "slate": ("clouds", (0.36, 0.38, 0.42), 0.10),
    "linen": ("weave", (0.76, 0.72, 0.64), 0.05),
    "felt": ("grain", (0.24, 0.40, 0.33), 0.07),
}
CLOTHS = tuple(_CLOTHS)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a camera sees of a table."""

    lit: np.ndarray  # (size, size, 3) float32
    masks: np.ndarray  # (n, size, size) bool: what is seen of each solid
    depth: np.ndarray  # (size, size) float32 along the view
    keypoints: np.ndarray  # (n, 4, 3)


def look(
    solids: list[Solid], eye: Eye, light: tuple[float, float, float], cloth: str, chance: np.random.Generator
) -> View:
    """The table and its solids, painted from far to near."""
    size = eye.size
    centres = (np.arange(size, dtype=np.float32) + 0.5)[None], (np.arange(size, dtype=np.float32) + 0.5)[:, None]
    ray = eye.rays(*centres)
    depth = np.repeat(np.float32(-eye.place[2]) / ray[2], size, 1)
    lit = _cloth(ray, depth, eye, cloth, chance)
    lit *= deep(1 - np.float32(0.62) * _shade_on_table(solids, eye, light))
    owner = np.full((size, size), -1, np.int32)
    order = sorted(range(len(solids)), key=lambda row: -solids[row].y)
    for row in order:
        placed = _patch(solids[row], eye, light)
        if placed is None:
            continue
        colour, cover, far, (x, y) = placed
        lay(lit, colour, cover, (x, y))
        mine = cover > 0.5
        here = (slice(y, y + cover.shape[0]), slice(x, x + cover.shape[1]))
        owner[here][mine] = row
        depth[here][mine] = far[mine]
    masks = owner[None] == np.arange(len(solids), dtype=np.int32)[:, None, None]
    points = [_points(solid, eye, depth) for solid in solids]
    return View(lit, masks, depth, np.array(points, np.float32).reshape(-1, 4, 3))


def _cloth(
    ray: tuple[np.ndarray, np.ndarray, np.ndarray], depth: np.ndarray, eye: Eye, cloth: str, chance: np.random.Generator
) -> np.ndarray:
    """The table's own colour: a bank laid on the plane, so that its pattern recedes."""
    name, colour, spread = _CLOTHS[cloth]
    scale = np.float32(110 if name != "grain" else 200)
    turn = float(chance.uniform(-0.5, 0.5))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    x, y = ray[0] * depth, np.float32(eye.place[1]) + ray[1] * depth
    start = chance.uniform(0, 1024, 2).astype(np.float32)
    across, down = (x * cos - y * sin) * scale + start[0], (x * sin + y * cos) * scale + start[1]
    field = cv2.remap(bank(name), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    brightness = 1 + np.float32(spread) * field
    return np.asarray(cv2.merge([brightness * np.float32(part) for part in colour]))


def _shade_on_table(solids: list[Solid], eye: Eye, light: tuple[float, float, float]) -> np.ndarray:
    """0..1, how much of the sun is kept from each place; rays at half size, for it is soft anyway."""
    size = eye.size
    half = max(16, size // 2)
    along = (np.arange(half, dtype=np.float32) + 0.5) * (size / half)
    ray = eye.rays(along[None], along[:, None])
    depth = np.float32(-eye.place[2]) / ray[2]
    x, y = ray[0] * depth, np.float32(eye.place[1]) + ray[1] * depth
    flat, zero = np.zeros((1, 1), np.float32), np.float32(1e-3)
    sun = tuple(flat + np.float32(part) for part in light)
    dark = np.zeros((half, half), np.float32)
    for solid in solids:
        reach = solid.radius * 1.5 + solid.height / light[2]
        columns = np.flatnonzero((np.abs(x - solid.x) < reach).any(0))
        rows = np.flatnonzero(np.abs(y[:, 0] - solid.y) < reach)
        if not len(rows) or not len(columns):
            continue
        here = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        near_x, near_y = x[here], y[rows[0] : rows[-1] + 1]
        distance, _ = meet(solid, (near_x, near_y, flat + zero), (sun[0], sun[1], sun[2]))
        contact = np.hypot(near_x - np.float32(solid.x), near_y - np.float32(solid.y)) / np.float32(solid.radius)
        blocked = np.where(np.isfinite(distance), np.float32(0.9), 0) + np.clip(1.45 - contact, 0, 0.5) * np.float32(
            0.7
        )
        dark[here] = np.maximum(dark[here], blocked)
    dark = cv2.GaussianBlur(np.minimum(dark, 1), (0, 0), 1.6 * half / 128)
    return np.asarray(cv2.resize(dark, (size, size), interpolation=cv2.INTER_LINEAR))


def _patch(
    solid: Solid, eye: Eye, light: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]] | None:
    """Colour, cover and depth of one solid where it can be, rays at double size averaged down."""
    side = solid.radius * 1.2
    corners = np.array(
        [[solid.x + a * side, solid.y + b * side, c * solid.height] for a in (-1, 1) for b in (-1, 1) for c in (0, 1)]
    )
    at = eye.project(corners)
    x0, y0 = np.clip(np.floor(at[:, :2].min(0)) - 1, 0, eye.size).astype(int)
    x1, y1 = np.clip(np.ceil(at[:, :2].max(0)) + 1, 0, eye.size).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    across = x0 + (np.arange(2 * (x1 - x0), dtype=np.float32) + 0.5) / 2
    down = y0 + (np.arange(2 * (y1 - y0), dtype=np.float32) + 0.5) / 2
    ray = eye.rays(across[None], down[:, None])
    place = tuple(np.full((1, 1), part, np.float32) for part in eye.place)
    distance, normal = meet(solid, (place[0], place[1], place[2]), ray)
    hit = np.isfinite(distance).astype(np.float32)
    colour = shade(solid, normal, ray, light) * deep(hit)
    to = (int(x1 - x0), int(y1 - y0))
    cover = cv2.resize(hit, to, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(colour, to, interpolation=cv2.INTER_AREA) / deep(np.maximum(cover, 1e-3))
    far = cv2.resize(np.where(hit > 0, distance, 0), to, interpolation=cv2.INTER_AREA) / np.maximum(cover, 1e-3)
    return colour, cover, far, (int(x0), int(y0))


def _points(solid: Solid, eye: Eye, depth: np.ndarray) -> np.ndarray:
    """Top, left and right of the widest ring as seen, and the nearest place at the foot; 1 where something hides it."""
    middle, reach = (solid.radius, solid.radius) if solid.shape == "sphere" else (0.0, solid.radius)
    if solid.shape == "cube":
        corners = solid.yaw + np.pi / 4 + np.arange(4) * np.pi / 2
        ring = np.stack([np.cos(corners), np.sin(corners)], 1) * reach * 0.8 * np.sqrt(2)
        left, right, front = ring[ring[:, 0].argmin()], ring[ring[:, 0].argmax()], ring[ring[:, 1].argmin()]
    else:
        left, right, front = np.array([-reach, 0]), np.array([reach, 0]), np.array([0, -reach])
    here = np.array([solid.x, solid.y])
    foot = [np.array([*(here + part), middle]) for part in (left, right, front)]
    points = eye.project(np.array([[solid.x, solid.y, solid.height], *foot]))
    size = eye.size
    column = np.clip(points[:, 0].astype(int), 0, size - 1)
    row = np.clip(points[:, 1].astype(int), 0, size - 1)
    hidden = depth[row, column] < points[:, 2] - solid.radius * 0.6
    return np.stack([points[:, 0], points[:, 1], np.where(hidden, 1.0, 2.0)], 1)


def place(
    chance: np.random.Generator, shapes: list[str], colours: list[str], span: float, radius: tuple[float, float]
) -> list[Solid]:
    """Solids that stand apart on the table."""
    made: list[Solid] = []
    for shape, colour in zip(shapes, colours, strict=True):
        for attempt in range(40):
            size = float(chance.uniform(*radius)) * 0.97**attempt
            x, y = (float(part) for part in chance.uniform(-span, span, 2))
            if all(np.hypot(x - other.x, y - other.y) > 1.25 * (size + other.radius) for other in made):
                break
        else:
            continue
        tall = {
            "sphere": 2.0,
            "cube": 1.6,
            "cylinder": float(chance.uniform(2.6, 3.2)),
            "cone": float(chance.uniform(2.2, 2.8)),
        }
        size *= 0.8 if shape == "cylinder" else 1.0  # slender, so that at a glance it is no cube
        tone = np.clip(np.array(COLOURS[colour]) * chance.uniform(0.9, 1.08) + chance.uniform(-0.02, 0.02, 3), 0.02, 1)
        yaw, gloss = float(chance.uniform(0, np.pi)), float(chance.uniform(0.25, 0.9))
        made.append(Solid(shape, x, y, size, size * tall[shape], yaw, (tone[0], tone[1], tone[2]), gloss))
    return made


def sun(chance: np.random.Generator) -> tuple[float, float, float]:
    """A direction towards the light: from a side and a little in front or behind, well above the table."""
    turn, rise = chance.uniform(0.5, 2.64), chance.uniform(0.75, 1.1)
    side = -np.cos(rise) * np.sin(turn) if chance.random() < 0.5 else np.cos(rise) * np.sin(turn)
    return float(side), float(np.cos(rise) * np.cos(turn)), float(np.sin(rise))
