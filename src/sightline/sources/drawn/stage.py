"""A street's stage: flat shapes in three dimensions, painted with their owner so that picture and truth agree."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

Colour = tuple[float, float, float]
TALL = 1.55  # metres from the road to the camera


@dataclass(slots=True, eq=False)
class Stage:
    """A canvas at twice the picture's size and a map of who painted each place; both are painted by one polygon."""

    size: int
    horizon: float  # share of the picture above the horizon
    focal: float  # in picture sizes
    canvas: np.ndarray = field(init=False)
    owner: np.ndarray = field(init=False)
    lamps: list[tuple[float, float, float, Colour]] = field(default_factory=list)  # x, y, radius in picture pixels

    def __post_init__(self) -> None:
        self.canvas = np.zeros((2 * self.size, 2 * self.size, 3), np.uint8)
        self.owner = np.zeros((2 * self.size, 2 * self.size), np.uint8)

    def project(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) metres (right, up from the road, ahead) to (..., 2) picture pixels."""
        scale = self.focal * self.size / np.maximum(points[..., 2], 0.3)
        flat = np.empty((*points.shape[:-1], 2))
        flat[..., 0] = self.size / 2 + points[..., 0] * scale
        flat[..., 1] = self.horizon * self.size + (TALL - points[..., 1]) * scale
        return flat

    def spot(self, point: np.ndarray) -> tuple[int, int, float]:
        """One place on the doubled canvas and its pixels a metre, in plain numbers, for that is faster for one."""
        x, y, z = point.tolist()
        scale = 2 * self.focal * self.size / max(z, 0.3)
        return round(self.size + x * scale), round(2 * self.horizon * self.size + (TALL - y) * scale), scale

    def faces(self, quads: np.ndarray, colour: Colour, owner: int, *, apart: bool = False) -> None:
        """Paint (n, corners, 3) faces of one colour; only those that lie apart go in one call, others would cancel."""
        if not len(quads):
            return
        flat = np.clip((self.project(quads) - 0.25) * 32, -2e6, 2e6)
        polygons = list(np.rint(flat).astype(np.int32))
        tone = tuple(255 * min(1.0, part) for part in colour)
        for group in [polygons] if apart else [[polygon] for polygon in polygons]:
            cv2.fillPoly(self.canvas, group, tone, cv2.LINE_8, 4)
            cv2.fillPoly(self.owner, group, (owner,), cv2.LINE_8, 4)

    def face(self, corners: list[tuple[float, float, float]], colour: Colour, owner: int) -> None:
        self.faces(np.array([corners]), colour, owner)

    def limb(self, start: np.ndarray, end: np.ndarray, thick: float, colour: Colour, owner: int) -> None:
        """A round-ended stroke `thick` metres wide."""
        x0, y0, scale = self.spot(start)
        x1, y1, _ = self.spot(end)
        width, ends = max(1, round(thick * scale)), ((x0, y0), (x1, y1))
        tone = tuple(255 * part for part in colour)
        cv2.line(self.canvas, *ends, tone, width)
        cv2.line(self.owner, *ends, (owner,), width)

    def ball(self, middle: np.ndarray, radius: float, colour: Colour, owner: int) -> None:
        """A disc `radius` metres wide."""
        x, y, scale = self.spot(middle)
        around = max(1, round(radius * scale))
        cv2.circle(self.canvas, (x, y), around, tuple(255 * part for part in colour), -1)
        cv2.circle(self.owner, (x, y), around, (owner,), -1)

    def lamp(self, middle: tuple[float, float, float], radius: float, colour: Colour) -> None:
        """Remember a light, so that it can glow."""
        x, y = self.project(np.array(middle))
        self.lamps.append((float(x), float(y), radius * self.focal * self.size / middle[2], colour))
