"""Records of what was found: points, lines and circles as objects; coordinates have pixel centres at one half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from sightline.core.annotations import Annotation, Objects

Stage = tuple[str, Annotation]
Finder = TypeVar("Finder", bound=Callable[..., Annotation])
_SIDES = 64  # corners of the ring that stands for a circle


class Staged(Protocol):
    """A finder that can show how it came to its answer."""

    def stages(self, image: np.ndarray, **settings: Any) -> list[Stage]:
        """Each step by name, in order; the last is the answer."""


def shows(stages: Callable[..., list[Stage]]) -> Callable[[Finder], Finder]:
    """Give a finder its `stages`: the same settings, every step on the way."""

    def given(finder: Finder) -> Finder:
        finder.stages = stages  # type: ignore[attr-defined]
        return finder

    return given


def nothing(name: str, **columns: Any) -> Objects:
    """No things of this name."""
    return Objects(
        np.zeros((0, 4), np.float32), np.zeros(0, np.int64), (name,), scores=np.zeros(0, np.float32), **columns
    )


def points(places: np.ndarray, scores: np.ndarray, name: str, size: float = 7.0) -> Objects:
    """Points (n, 2) as keypoints in boxes of `size` pixels; the best first is for the caller to see to."""
    places = places.reshape(-1, 2).astype(np.float32)
    boxes = np.concatenate([places - size / 2, places + size / 2], 1)
    marks = np.concatenate([places, np.full((len(places), 1), 2, np.float32)], 1)[:, None]
    return Objects(boxes, np.zeros(len(places), np.int64), (name,), scores=scores.astype(np.float32), keypoints=marks)


def lines(ends: np.ndarray, scores: np.ndarray, name: str) -> Objects:
    """Lines (n, 4) x0 y0 x1 y1: the ends are keypoints and the outline has two points."""
    ends = ends.reshape(-1, 2, 2).astype(np.float32)
    boxes = np.concatenate([ends.min(1), ends.max(1)], 1)
    marks = np.concatenate([ends, np.full((len(ends), 2, 1), 2, np.float32)], 2)
    outlines = tuple((pair,) for pair in ends)
    return Objects(
        boxes, np.zeros(len(ends), np.int64), (name,), scores=scores.astype(np.float32), keypoints=marks,
        outlines=outlines,
    )  # fmt: skip


def rounds(
    circles: np.ndarray, scores: np.ndarray, name: str, details: tuple[dict[str, Any], ...] | None = None
) -> Objects:
    """Circles (n, 3) x y radius: the outline is a ring, and `details` hold the numbers."""
    circles = circles.reshape(-1, 3).astype(np.float32)
    around = np.arange(_SIDES) * (2 * np.pi / _SIDES)
    ring = np.stack([np.cos(around), np.sin(around)], 1).astype(np.float32)
    boxes = np.concatenate([circles[:, :2] - circles[:, 2:], circles[:, :2] + circles[:, 2:]], 1)
    told = details or ({},) * len(circles)
    full = tuple(
        {"x": round(x, 3), "y": round(y, 3), "radius": round(radius, 3), **more}
        for (x, y, radius), more in zip(circles.tolist(), told, strict=True)
    )
    return Objects(
        boxes, np.zeros(len(circles), np.int64), (name,), scores=scores.astype(np.float32),
        outlines=tuple((circle[:2] + circle[2] * ring,) for circle in circles), details=full,
    )  # fmt: skip
