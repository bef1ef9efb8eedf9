"""One drawn picture with everything that is true of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value
from sightline.core.chance import generator
from sightline.core.errors import UnknownNameError, nearest

KINDS: dict[str, type[Annotation]] = {
    "labels": Labels,
    "objects": Objects,
    "rotated": Objects,
    "regions": Regions,
    "heatmap": Heatmap,
    "value": Value,
    "picture": Picture,
    "text": Text,
}


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture and its exact truths; a truth is None where the world has no meaning for it."""

    image: np.ndarray  # (size, size, 3) uint8, as the sensor saw it
    clean: np.ndarray  # the same before the sensor: no noise, no compression
    labels: Labels | None = None
    objects: Objects | None = None
    regions: Regions | None = None
    heatmap: Heatmap | None = None
    value: Value | None = None
    text: Text | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    after: np.ndarray | None = None  # the same place later, where the world is of pairs
    clean_after: np.ndarray | None = None
    degraded: np.ndarray | None = None  # `clean` spoiled by the strength that the attributes state

    @property
    def offers(self) -> tuple[str, ...]:
        """The kinds of truth that this scene can answer with."""
        present = {"picture", *(kind for kind in KINDS if getattr(self, kind, None) is not None)}
        if self.objects is not None and self.objects.masks is not None:
            present.add("rotated")
        return tuple(kind for kind in KINDS if kind in present)

    def truth(self, kind: str) -> Annotation:
        """The truth of one kind, or an error that names what the world offers."""
        if kind not in self.offers:
            raise UnknownNameError(
                f"this world has no truth called '{kind}'.{nearest(kind, self.offers)} "
                f"It offers {', '.join(self.offers)}."
            )
        if kind == "picture":
            return Picture(self.clean)
        if kind == "rotated":
            return rotated(self.objects) if self.objects is not None else Picture(self.clean)
        found: Annotation = getattr(self, kind)
        return found

    def images(self, kind: str) -> tuple[np.ndarray, ...]:
        """The pictures that this kind of truth is about: a spoiled one to restore, two to compare, else one."""
        if kind == "picture" and self.degraded is not None:
            return (self.degraded,)
        return (self.image,) if self.after is None else (self.image, self.after)

    @property
    def weight(self) -> int:
        """Bytes held, for a bounded store."""
        held: list[Any] = [self.image, self.clean, self.after, self.clean_after, self.degraded]
        held += [self.objects.masks if self.objects else None, self.regions.classes if self.regions else None]
        held += [self.heatmap.scores if self.heatmap else None]
        return sum(array.nbytes for array in held if array is not None)


def rotated(objects: Objects) -> Objects:
    """The same things in the smallest turned boxes around their pixels."""
    import cv2

    rows = np.zeros((len(objects), 5), np.float32)
    for row, mask in enumerate(objects.masks if objects.masks is not None else ()):
        x0, y0, x1, y1 = objects.boxes[row].astype(int)
        below, across = np.nonzero(mask[y0:y1, x0:x1])
        corners = np.concatenate([np.stack([across + dx, below + dy], 1) for dx in (0, 1) for dy in (0, 1)])
        hull = cv2.convexHull((corners + np.array([x0, y0])).astype(np.float32))
        (cx, cy), (width, height), degrees = cv2.minAreaRect(hull)
        rows[row] = cx, cy, width, height, np.deg2rad(degrees)
    return replace(objects, boxes=rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided about a scene before anything is drawn, so that it costs nothing to ask."""

    label: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """A kind of place that can be drawn."""

    names: Mapping[str, tuple[str, ...]]  # the kinds of truth offered, each with its vocabulary
    default: str
    plan: Callable[[int, int], Plan]  # seed, index
    draw: Callable[[Plan, int, int, int], Scene]  # plan, seed, index, size


def balanced(names: tuple[str, ...], world: str, seed: int, index: int) -> str:
    """A name for this index such that every block of as many indices holds each name once."""
    block, place = divmod(index, len(names))
    order: list[int] = generator(world, "label", seed, block).permutation(len(names)).tolist()
    return names[order[place]]


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """Tight boxes of (n, rows, columns) masks, edges at pixel boundaries."""
    if not len(masks):
        return np.zeros((0, 4), np.float32)
    across, down = np.asarray(masks.any(1)), np.asarray(masks.any(2))
    x0, y0 = across.argmax(1), down.argmax(1)
    x1, y1 = across.shape[1] - across[:, ::-1].argmax(1), down.shape[1] - down[:, ::-1].argmax(1)
    return np.stack([x0, y0, x1, y1], 1).astype(np.float32)


def things(
    masks: np.ndarray,
    classes: np.ndarray,
    names: tuple[str, ...],
    *,
    least: int = 6,
    keypoints: np.ndarray | None = None,
    tracks: np.ndarray | None = None,
    texts: tuple[str, ...] | None = None,
    mirror: tuple[int, ...] | None = None,
) -> Objects:
    """Objects around masks; a thing with fewer than `least` visible pixels is not there."""
    seen = np.array([int(np.count_nonzero(mask)) >= least for mask in masks], bool)
    if keypoints is not None:
        keypoints = inside(keypoints, masks.shape[1:])
    found = Objects(
        boxes_of(masks), classes.astype(np.int64), names, masks=masks, keypoints=keypoints, tracks=tracks, texts=texts,
        mirror=mirror,
    )  # fmt: skip
    return found if seen.all() else found.take(seen)


def inside(keypoints: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Keypoints outside the picture are absent: zeros, visibility 0."""
    x, y = keypoints[..., 0], keypoints[..., 1]
    out = (x < 0) | (y < 0) | (x >= shape[1]) | (y >= shape[0]) | (keypoints[..., 2] == 0)
    return np.where(out[..., None], 0, keypoints).astype(np.float32)
