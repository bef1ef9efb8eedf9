"""Rays against simple solids that stand on a table: exact shape, shade and shadow from one set of formulas.

World axes: x to the right, y away from the camera, z up; the table is z = 0. Every function takes the origin and the
direction of rays as three broadcastable parts and answers distance (inf where missed) and the normal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
Hit = tuple[np.ndarray, Parts]
_FAR = np.float32(np.inf)


@dataclass(frozen=True, slots=True)
class Solid:
    """A solid on the table: `radius` across, `height` up, turned by `yaw`."""

    shape: str
    x: float
    y: float
    radius: float
    height: float
    yaw: float
    colour: tuple[float, float, float]
    gloss: float = 0.6


@dataclass(frozen=True, slots=True)
class Eye:
    """A camera that looks at the middle of the table from `distance`, `pitch` radians above it."""

    distance: float
    pitch: float
    focal: float  # in picture sizes
    size: int

    @property
    def place(self) -> tuple[float, float, float]:
        return 0.0, -self.distance * float(np.cos(self.pitch)), self.distance * float(np.sin(self.pitch))

    def rays(self, x: np.ndarray, y: np.ndarray) -> Parts:
        """Directions through picture positions (columns (1, w), rows (h, 1)); depth is the distance along them."""
        right = (x / self.size - 0.5) / self.focal
        down = (y / self.size - 0.5) / self.focal
        sin, cos = np.float32(np.sin(self.pitch)), np.float32(np.cos(self.pitch))
        return right.astype(np.float32), (cos - down * sin).astype(np.float32), (-sin - down * cos).astype(np.float32)

    def project(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) places in the world to x, y, depth in the picture."""
        away = points - np.array(self.place)
        sin, cos = np.sin(self.pitch), np.cos(self.pitch)
        depth = away[:, 1] * cos - away[:, 2] * sin
        down = -away[:, 1] * sin - away[:, 2] * cos
        scale = self.focal * self.size / depth
        return np.stack([away[:, 0] * scale + self.size / 2, down * scale + self.size / 2, depth], 1)


def meet(solid: Solid, origin: Parts, ray: Parts) -> Hit:
    """Where rays meet a solid."""
    cos, sin = np.float32(np.cos(solid.yaw)), np.float32(np.sin(solid.yaw))
    ox, oy, oz = origin[0] - np.float32(solid.x), origin[1] - np.float32(solid.y), origin[2]
    radius, height = np.float32(solid.radius), np.float32(solid.height)
    with np.errstate(all="ignore"):
        if solid.shape != "cube":
            return _ROUND[solid.shape]((ox, oy, oz), ray, radius, height)
        turned = (ox * cos + oy * sin, oy * cos - ox * sin, oz)
        bent = (ray[0] * cos + ray[1] * sin, ray[1] * cos - ray[0] * sin, ray[2])
        distance, (nx, ny, nz) = _cube(turned, bent, radius, height)
    return distance, (nx * cos - ny * sin, nx * sin + ny * cos, nz)


def _sphere(origin: Parts, ray: Parts, radius: np.float32, height: np.float32) -> Hit:
    ox, oy, oz = origin[0], origin[1], origin[2] - radius
    a = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
    b = ox * ray[0] + oy * ray[1] + oz * ray[2]
    c = ox * ox + oy * oy + oz * oz - radius * radius
    root = b * b - a * c
    distance = np.where(root > 0, (-b - np.sqrt(root)) / a, _FAR)
    distance = np.where(distance > 0, distance, _FAR)
    safe = np.where(np.isfinite(distance), distance, 0)
    return distance, ((ox + ray[0] * safe) / radius, (oy + ray[1] * safe) / radius, (oz + ray[2] * safe) / radius)


def _cylinder(origin: Parts, ray: Parts, radius: np.float32, height: np.float32) -> Hit:
    ox, oy, oz = origin
    a = ray[0] * ray[0] + ray[1] * ray[1]
    b = ox * ray[0] + oy * ray[1]
    root = b * b - a * (ox * ox + oy * oy - radius * radius)
    side = (-b - np.sqrt(root)) / a
    at = oz + ray[2] * side
    side = np.where((root > 0) & (at >= 0) & (at <= height) & (side > 0), side, _FAR)
    cap = (height - oz) / ray[2]
    inside = (ox + ray[0] * cap) ** 2 + (oy + ray[1] * cap) ** 2 <= radius * radius
    cap = np.where(inside & (cap > 0), cap, _FAR)
    distance = np.minimum(side, cap)
    safe = np.where(np.isfinite(side), side, 0)
    lid = cap < side
    nx, ny = (ox + ray[0] * safe) / radius, (oy + ray[1] * safe) / radius
    return distance, (np.where(lid, 0, nx), np.where(lid, 0, ny), lid.astype(np.float32))


def _cone(origin: Parts, ray: Parts, radius: np.float32, height: np.float32) -> Hit:
    slope = radius / height
    ox, oy, up = origin[0], origin[1], height - origin[2]  # `up` runs from the tip downwards
    down = -ray[2]
    a = ray[0] * ray[0] + ray[1] * ray[1] - (slope * down) ** 2
    b = ox * ray[0] + oy * ray[1] - slope * slope * up * down
    root = np.sqrt(b * b - a * (ox * ox + oy * oy - (slope * up) ** 2))
    distance = np.full(np.broadcast_shapes(root.shape), _FAR, np.float32)
    for sign in (-1, 1):
        side = (-b + sign * root) / a
        at = up + down * side
        distance = np.minimum(distance, np.where((at >= 0) & (at <= height) & (side > 0), side, _FAR))
    safe = np.where(np.isfinite(distance), distance, 0)
    x, y = ox + ray[0] * safe, oy + ray[1] * safe
    around = np.sqrt(x * x + y * y) + np.float32(1e-6)
    lean = np.float32(1 / np.hypot(1, slope))
    return distance, (x / around * lean, y / around * lean, np.broadcast_to(slope * lean, x.shape))


def _cube(origin: Parts, ray: Parts, radius: np.float32, height: np.float32) -> Hit:
    half = radius * np.float32(0.8)
    near, far = [], []
    for place, (low, high) in enumerate(((-half, half), (-half, half), (np.float32(0), height))):
        first, second = (low - origin[place]) / ray[place], (high - origin[place]) / ray[place]
        near.append(np.minimum(first, second))
        far.append(np.maximum(first, second))
    enter = np.maximum(np.maximum(near[0], near[1]), near[2])
    leave = np.minimum(np.minimum(far[0], far[1]), far[2])
    distance = np.where((enter < leave) & (leave > 0), np.maximum(enter, 0), _FAR)
    zero = np.float32(0)
    normal = [np.where(enter == near[place], -np.sign(ray[place]), zero) for place in range(3)]
    return distance, (normal[0], normal[1], normal[2])


_ROUND: dict[str, Callable[[Parts, Parts, np.float32, np.float32], Hit]] = {
    "sphere": _sphere,
    "cylinder": _cylinder,
    "cone": _cone,
}


def shade(solid: Solid, normal: Parts, ray: Parts, light: tuple[float, float, float]) -> np.ndarray:
    """(h, w, 3) light that a glossy solid sends to the eye: sky, sun, bounce from the table, highlight, rim."""
    nx, ny, nz = normal
    lx, ly, lz = (np.float32(part) for part in light)
    sun = np.maximum(nx * lx + ny * ly + nz * lz, 0)
    length = np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
    vx, vy, vz = -ray[0] / length, -ray[1] / length, -ray[2] / length
    hx, hy, hz = lx + vx, ly + vy, lz + vz
    half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz)
    facing = np.maximum(nx * vx + ny * vy + nz * vz, 0)
    highlight = np.clip(half, 0.7, 1)  # from 0.7, so that squares stay far from denormal numbers, which are slow
    for _ in range(5 if solid.gloss < 0.5 else 6):
        highlight = highlight * highlight
    away = 1 - np.minimum(facing, 1)
    away = away * away
    rim = np.float32(0.22 * solid.gloss) * away * away
    base = np.float32(0.30) + np.float32(0.16) * nz + np.float32(0.72) * sun
    above = np.float32(solid.gloss) * highlight + rim
    return np.asarray(cv2.merge([np.asarray(base * np.float32(part) + above, np.float32) for part in solid.colour]))
