"""Shapes of CVAT's XML as things."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.errors import InputError
from sightline.formats import _labels, _rle
from sightline.formats._xml import Node, as_number, as_whole

_COMMON = (
    "label", "source", "occluded", "z_order", "group_id", "xtl", "ytl", "xbr", "ybr", "rotation", "points", "cx", "cy",
    "rx", "ry", "rle", "left", "top", "width", "height", "frame", "outside", "keyframe",
)  # fmt: skip
LINES = ("polyline", "points")
_EXACT = 10  # digits behind the point of a pixel


def thing(node: Node, size: _labels.Size, skeletons: Mapping[str, list[str]]) -> _labels.Thing:
    """One shape."""
    made = _labels.Thing(node.given("label"), ())
    made.details = _details(node)
    if node.tag == "box":
        corners = [node.given_number(key) for key in ("xtl", "ytl", "xbr", "ybr")]
        if corners[0] > corners[2] or corners[1] > corners[3]:
            raise InputError("label", f"{node.where}: a box from {corners[:2]} to {corners[2:]} is inside out.")
        made.box = _turned(corners, node)
    elif node.tag == "polygon":
        ring = _points(node, 3).astype(np.float32)
        made.rings, made.box = (ring,), geometry.rings_bounds((ring,)).tolist()
    elif node.tag in LINES:
        points = _points(node, 1)
        made.box = [*points.min(0).tolist(), *points.max(0).tolist()]
        made.details |= {"shape": node.tag, "points": points.tolist()}
    elif node.tag == "ellipse":
        x, y, across, down = (node.given_number(key) for key in ("cx", "cy", "rx", "ry"))
        made.box = _turned([x - across, y - down, x + across, y + down], node)
        made.details["shape"] = "ellipse"
    elif node.tag == "mask":
        made.mask, made.box = _mask(node, size)
    elif node.tag == "skeleton":
        made.points = _skeleton(node, skeletons.get(made.name, []))
        made.box = around(made.points)
    else:
        raise InputError("label", f"{node.where}: no shape is called <{node.tag[:40]}>.")
    return made


def around(points: np.ndarray) -> list[float]:
    """The box around the key points that are there; around all of them where none is."""
    seen = points[points[:, 2] > 0, :2] if (points[:, 2] > 0).any() else points[:, :2]
    return [*seen.min(0).tolist(), *seen.max(0).tolist()] if len(seen) else [0.0, 0.0, 0.0, 0.0]


def _details(node: Node) -> dict[str, Any]:
    """What is said of a shape besides its place."""
    told: dict[str, Any] = {key: value for key, value in node.attributes.items() if key not in _COMMON}
    if _flag(node, "occluded"):
        told["occluded"] = True
    if as_whole(node.given("z_order", "0"), "'z_order'", node.where):
        told["z_order"] = as_whole(node.given("z_order"), "'z_order'", node.where)
    if "group_id" in node.attributes:
        told["group"] = as_whole(node.given("group_id"), "'group_id'", node.where)
    if node.given("source", "manual") != "manual":
        told["source"] = node.given("source")
    attributes = attributes_of(node)
    return {**told, **({"attributes": attributes} if attributes else {})}


def attributes_of(node: Node) -> dict[str, str]:
    """Named words of a shape or a tag."""
    return {child.given("name"): child.text for child in node.all("attribute")}


def _flag(node: Node, name: str) -> bool:
    word = node.given(name, "0").lower()
    if word not in ("0", "1", "true", "false"):
        raise InputError("label", f"{node.where}: '{name}' must be 0 or 1, not {word[:40]!r}.")
    return word in ("1", "true")


def _turned(corners: list[float], node: Node) -> list[float]:
    if "rotation" not in node.attributes:
        return corners
    x0, y0, x1, y1 = corners
    angle = math.radians(node.given_number("rotation"))
    angle -= 2 * math.pi * round(angle / (2 * math.pi)) if abs(angle) > math.pi else 0.0
    size = [round(x1 - x0, _EXACT), round(y1 - y0, _EXACT)]
    return [round((x0 + x1) / 2, _EXACT), round((y0 + y1) / 2, _EXACT), *size, angle]


def _points(node: Node, least: int) -> np.ndarray:
    pairs = [pair.split(",") for pair in node.given("points").split(";")]
    if len(pairs) < least or any(len(pair) != 2 for pair in pairs):
        raise InputError("label", f"{node.where}: 'points' must be {least} or more of x,y parted by semicolons.")
    return np.array([[as_number(word, "'points'", node.where) for word in pair] for pair in pairs])


def _mask(node: Node, size: _labels.Size) -> tuple[np.ndarray, list[float]]:
    left, top, width, height = (
        as_whole(node.given(key), f"'{key}'", node.where) for key in ("left", "top", "width", "height")
    )
    runs = [as_whole(word, "'rle'", node.where) for word in node.given("rle").split(",") if word.strip()]
    cut = _rle.from_runs(np.array(runs, np.int64), height, width, node.where)
    if left < 0 or top < 0 or top + height > size[0] or left + width > size[1] or size[0] * size[1] > 2**28:
        raise InputError("label", f"{node.where}: a mask of {height} x {width} leads outside the picture of {size}.")
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = cut
    return mask, [float(value) for value in (left, top, left + width, top + height)]


def _skeleton(node: Node, names: list[str]) -> np.ndarray:
    points = np.zeros((len(names), 3))
    for child in node.children:
        if child.tag != "points" or child.given("label") not in names:
            continue
        seen = 0 if _flag(child, "outside") else 1 if _flag(child, "occluded") else 2
        points[names.index(child.given("label"))] = [*_points(child, 1)[0], seen]
    return points


def tracked(track: Node, frames: dict[int, list[_labels.Thing]]) -> None:
    """The shapes of a track, each with its frame; where the thing is outside the picture it is not."""
    number = as_whole(track.given("id"), "'id'", track.where)
    for node in track.children:
        if not _flag(node, "outside"):
            node.attributes = {**track.attributes, **node.attributes}
            node.attributes.pop("id", None)
            made = thing(node, (0, 0), {})
            made.track = number
            frame = as_whole(node.given("frame"), "'frame'", node.where)
            if frame < 0:
                raise InputError("label", f"{node.where}: frame {frame}.")
            frames.setdefault(frame, []).append(made)
