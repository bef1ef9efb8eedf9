"""CVAT's XML 1.1 for images."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import InputError
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _labels, _rle, _writing
from sightline.formats._coco_names import made_up, mirrored
from sightline.formats._cvat_shapes import LINES, around
from sightline.formats._xml import escaped, markup, written

_HELD = ("rotation", "masks", "outlines", "keypoints", "details")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_TAKEN = {
    "label", "group_id", "xtl", "ytl", "xbr", "ybr", "rotation", "points", "cx", "cy", "rx", "ry", "rle", "left", "top",
    "width", "height", "frame", "outside", "keyframe",
}  # fmt: skip


class _Writer:
    """What is known of the whole while images are written one by one."""

    def __init__(self, data: Dataset, lost: Lost) -> None:
        self.data, self.lost = data, lost
        self.tags = data.kind is Labels
        self.vocabulary = _labels.Vocabulary()
        self.vocabulary.add(data._names or ())
        named = data.details.get("keypoints")
        self.named: dict[str, list[str]] = named if isinstance(named, dict) else {}
        self.points: dict[str, list[str]] = {}
        self.images: list[str] = []

    def points_of(self, sample: str, truth: Objects, name: str) -> list[str]:
        """The names of the key points of a class."""
        count = 0 if truth.keypoints is None else truth.keypoints.shape[1]
        told = self.named.get(name, [])
        twins = None if truth.mirror is None else list(truth.mirror)
        points = list(told) if len(told) == count else made_up(count, twins)
        if twins != mirrored(points):
            self.lost.drop(sample, "twins of key points, which their names do not tell")
        self.points[name] = points
        return points

    def page(self) -> str:
        """The whole file."""
        told = self.data.details.get("labels")
        labels = []
        for name in self.vocabulary.names:
            kind = "tag" if self.tags else "skeleton" if name in self.points else "any"
            rest = {key: value for key, value in (told or {}).get(name, {}).items() if key not in ("name", "type")}
            parts = [written("name", escaped(name, "a name")), written("type", kind)]
            for key, value in rest.items():
                made = markup(key, value)
                if made is None:
                    self.lost.drop(self.data.name, f"'{key}' of labels")
                parts.append(made or "")
            labels.append(written("label", "".join(parts)))
        for parent, points in self.points.items():
            for point in points:
                inner = written("name", escaped(point, point)) + written("type", "points")
                labels.append(written("label", inner + written("parent", escaped(parent, parent))))
        meta = written("meta", written("task", written("labels", "".join(labels)) if labels else ""))
        lines = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "<version>1.1</version>", meta]
        return "\n".join([*lines, *self.images, "</annotations>"]) + "\n"


def write(data: Dataset, path: Path, lost: Lost) -> Path:
    """Pictures under images, and one file."""
    taken: set[str] = set()
    writer = _Writer(data, lost)
    _labels.whole_details(data, lost, "labels", "keypoints")
    with _writing.appearing(path) as folder:
        (folder / "images").mkdir()
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given"):
                continue
            split = sample.split if sample.split in SIDES else None
            if sample.split != split:
                lost.drop(sample.id, f"split, which must be one of {', '.join(SIDES)}")
            encoded = sample.image.encoded()
            within = f"images/{split}" if split else "images"
            name = _writing.place_of(sample, _writing.suffix_of(encoded, sample.image), taken, within)
            _writing.store(folder / name, encoded)
            _add(sample, name[len(within) + 1 :], split, _labels.size_of(encoded, sample.id), writer)
        _writing.refuse_nothing(len(taken), data, lost)
        for name in writer.vocabulary.names:
            if name.strip() != name or not name:
                raise InputError("label", f"the layout 'cvat' cannot hold the name {name[:60]!r}; rename the class.")
        if writer.tags and writer.images and not writer.vocabulary.names:
            lost.drop(data.name, "labels without a name")
        _writing.store(folder / "annotations.xml", writer.page().encode())
    return path


def _add(sample: Sample, name: str, split: str | None, size: _labels.Size | None, writer: _Writer) -> None:
    lost, truth = writer.lost, sample.truth
    tags: dict[str, Any] = {}
    if isinstance(truth, Labels) and writer.tags:
        if truth.scores is not None:
            lost.drop(sample.id, "scores")
        writer.vocabulary.add(truth.names)
        tags, objects = {tag: {} for tag in truth.names}, None
        if len(tags) != len(truth.names):
            lost.drop(sample.id, "a label that stands twice")
    else:
        objects = _labels.objects_of(sample, lost, _HELD)
        if objects is None:
            _writing.holds(sample, lost, "attributes")
            return
        writer.vocabulary.add(objects.names)
    given: dict[str, Any] = {"id": len(writer.images), "name": name, **({"subset": split} if split else {})}
    given |= {"width": size[1], "height": size[0]} if size else {}
    for key, value in sample.attributes.items():
        if key == "tags" and isinstance(value, dict) and (objects is not None or set(value) <= set(tags)):
            tags |= {tag: told if isinstance(told, dict) else {} for tag, told in value.items()}
        elif key == "id" and type(value) is int:
            given["id"] = value
        elif isinstance(value, str) and key not in given and _KEY.fullmatch(key) and key not in ("width", "height"):
            given[key] = value
        else:
            lost.drop(sample.id, f"attribute '{key}'")
    if objects is not None:
        writer.vocabulary.add(tuple(tags))
    body = [written("tag", _attributes(told, sample.id, lost), label=tag) for tag, told in tags.items()]
    body += [_shape(sample.id, objects, row, size, writer) for row in range(0 if objects is None else len(objects))]
    writer.images.append(written("image", "\n" + "\n".join(f"  {line}" for line in body) + "\n", **given))


def _attributes(told: Any, sample: str, lost: Lost) -> str:
    """Named words; others are dropped."""
    made = []
    for name, word in told.items() if isinstance(told, dict) else ():
        if isinstance(word, str) and word.strip() == word and isinstance(name, str):
            made.append(written("attribute", escaped(word, sample), name=name))
        else:
            lost.drop(sample, "attributes that are no words")
    return "".join(made)


def _shape(sample: str, truth: Any, row: int, size: _labels.Size | None, writer: _Writer) -> str:
    lost = writer.lost
    told = _labels.details_of(truth, row, sample, lost, None)
    name = truth.names[truth.classes[row]]
    given: dict[str, Any] = {"label": name, "source": told.pop("source", "manual")}
    given["occluded"] = int(told.pop("occluded", False) is True)
    tag, place, inner = _place(sample, truth, row, told, size, writer)
    words = _attributes(told.pop("attributes", {}), sample, lost)
    if "group" in told:
        given["group_id"] = told.pop("group")
    given["z_order"] = told.pop("z_order", 0)
    for key in ("group_id", "z_order"):
        if type(given.get(key, 0)) is not int:
            lost.drop(sample, f"'{key}' of objects")
            del given[key]
    for key, value in told.items():
        if isinstance(value, str) and _KEY.fullmatch(key) and key not in _TAKEN | set(given):
            given[key] = value
        else:
            lost.drop(sample, f"'{key}' of objects")
    return written(tag, inner + words, **given, **place)


def _place(
    sample: str, truth: Objects, row: int, told: dict[str, Any], size: _labels.Size | None, writer: _Writer
) -> tuple[str, dict[str, Any], str]:
    """The element, its attributes that say where the thing is, and what stands in it."""
    lost = writer.lost
    box = truth.boxes[row]
    rings = truth.outlines[row] if truth.outlines is not None else ()
    mask = truth.masks[row] if truth.masks is not None else None
    traced, kind, points = told.pop("mask", None) is True, told.pop("shape", None), told.pop("points", None)
    if truth.keypoints is not None:
        if mask is not None or rings:
            lost.drop(sample, "masks or outlines beside key points")
        if not np.array_equal(np.array(around(truth.keypoints[row]), np.float32), box):
            lost.drop(sample, "boxes that are not the bounds of their key points")
        names = writer.points_of(sample, truth, truth.names[truth.classes[row]])
        return "skeleton", {}, _skeleton(truth.keypoints[row], names)
    if mask is not None and size is not None and mask.shape != size:
        lost.drop(sample, "masks of another size than the picture")
        mask = None
    if mask is not None and rings:
        lost.drop(sample, "outlines beside masks")
    elif mask is None and len(rings) > 1 and not (traced and size):
        lost.drop(sample, "outlines of several rings, other than as masks")
    if mask is None and rings and (traced or len(rings) > 1) and size:
        mask = geometry.fill(rings, size)
    if mask is not None:
        return _masked(sample, mask, box, lost)
    if rings and len(rings[0]) > 2:
        if not np.array_equal(geometry.rings_bounds(rings), box):
            lost.drop(sample, "boxes that are not the bounds of their outline")
        return "polygon", {"points": _pairs(rings[0])}, ""
    if kind in LINES and _is_around(points, box):
        return str(kind), {"points": ";".join(f"{x!r},{y!r}" for x, y in points)}, ""
    if kind is not None and kind != "ellipse":
        lost.drop(sample, f"shape '{kind}'")
    return _boxed(sample, box, kind == "ellipse", lost)


def _boxed(sample: str, box: np.ndarray, ellipse: bool, lost: Lost) -> tuple[str, dict[str, Any], str]:
    turn: dict[str, Any] = {}
    if len(box) == 5:
        x, y, width, height, angle = box.astype(np.float64).tolist()
        corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        turn = {"rotation": math.degrees(angle)}
        if abs(angle) > math.pi:
            lost.drop(sample, "rotation beyond half a turn")
    else:
        corners = [_labels.short(value) for value in _labels.right_way(box, sample, lost).tolist()]
    x0, y0, x1, y1 = corners
    if ellipse:
        place = {"cx": (x0 + x1) / 2, "cy": (y0 + y1) / 2, "rx": (x1 - x0) / 2, "ry": (y1 - y0) / 2}
        return "ellipse", {**{key: repr(value) for key, value in place.items()}, **turn}, ""
    return "box", {"xtl": x0, "ytl": y0, "xbr": x1, "ybr": y1, **turn}, ""


def _masked(sample: str, mask: np.ndarray, box: np.ndarray, lost: Lost) -> tuple[str, dict[str, Any], str]:
    """Runs within a window: that of the box where it is whole and holds the mask, so that the box comes back."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    window = box.astype(int).tolist() if len(box) == 4 and (box == np.floor(box)).all() else [0, 0, 0, 0]
    x0, y0, x1, y1 = window
    holds = len(rows) and x0 <= columns[0] and y0 <= rows[0] and columns[-1] < x1 and rows[-1] < y1
    if not (holds and x0 >= 0 and y0 >= 0 and y1 <= mask.shape[0] and x1 <= mask.shape[1]):
        lost.drop(sample, "boxes that are no whole window around their mask")
        x0, y0, x1, y1 = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if len(rows) else (0, 0, 1, 1)
    runs = ", ".join(map(str, _rle.to_runs(mask[y0:y1, x0:x1])))
    return "mask", {"rle": runs, "left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0}, ""


def _skeleton(points: np.ndarray, names: list[str]) -> str:
    parts = []
    for name, (x, y, seen) in zip(names, points.tolist(), strict=True):
        given: dict[str, Any] = {"label": name, "outside": int(seen == 0), "occluded": int(seen == 1)}
        parts.append(written("points", points=f"{_labels.short(x)!r},{_labels.short(y)!r}", **given))
    return "".join(parts)


def _pairs(ring: np.ndarray) -> str:
    flat = _labels.flat(ring)
    return ";".join(f"{x!r},{y!r}" for x, y in zip(flat[::2], flat[1::2], strict=True))


def _is_around(points: Any, box: np.ndarray) -> bool:
    try:
        found = np.array(points, np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        return False
    return bool(len(found)) and np.array_equal(np.concatenate([found.min(0), found.max(0)]).astype(np.float32), box)
