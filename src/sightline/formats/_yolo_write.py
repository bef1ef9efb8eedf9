"""YOLO's folders: one text file a labelled picture, and data.yaml."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _labels, _writing
from sightline.formats._yaml import quoted
from sightline.formats._yolo_rows import turned_box

_HELD = {"turned": ("rotation", "scores"), "points": ("keypoints", "scores"), "outlines": ("outlines", "scores")}


def write(data: Dataset, path: Path, lost: Lost) -> Path:
    """One kind of row for the whole set: rotated boxes, else key points, else boxes and outlines."""
    taken: set[str] = set()
    stems: set[str] = set()
    vocabulary = _labels.Vocabulary()
    vocabulary.add(data._names or ())
    _labels.whole_details(data, lost, "keypoints")
    truths = [sample.truth for sample in data if isinstance(sample.truth, Objects) and len(sample.truth)]
    points = max((truth.keypoints.shape[1] for truth in truths if truth.keypoints is not None), default=0)
    mirror = next((truth.mirror for truth in truths if truth.mirror is not None), None)
    kind = "turned" if any(truth.boxes.shape[1] == 5 for truth in truths) else "points" if points else "outlines"
    del truths
    sides: set[str] = set()
    with _writing.appearing(path) as folder:
        for name in ("images", "labels"):
            (folder / name).mkdir()
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given", "attributes"):
                continue
            split = sample.split if sample.split in SIDES else None
            if sample.split is not None and split is None:
                lost.drop(sample.id, f"split, which must be one of {', '.join(SIDES)}")
            sides |= {split} if split else set()
            encoded = sample.image.encoded()
            suffix = _writing.suffix_of(encoded, sample.image)
            name = _labels.placed(sample, suffix, taken, stems, f"images/{split}" if split else "images")
            _writing.store(folder / name, encoded)
            truth = _labels.objects_of(sample, lost, _HELD[kind])
            if truth is not None:
                text = _text(sample, truth, _labels.size_of(encoded, sample.id), vocabulary, kind, points, lost)
                _writing.store(folder / f"labels/{name[len('images/') : -len(suffix)]}.txt", text.encode())
        _writing.refuse_nothing(len(stems), data, lost)
        page = _page(data, vocabulary.names, sorted(sides, key=SIDES.index), kind, points, mirror)
        _writing.store(folder / "data.yaml", page.encode())
    return path


def _page(
    data: Dataset, names: list[str], sides: list[str], kind: str, points: int, mirror: tuple[int, ...] | None
) -> str:
    lines = [f"{side}: images/{side}" for side in sides]
    lines += [] if kind == "points" else [f"task: {'obb' if kind == 'turned' else 'segment'}"]
    if kind == "points":
        lines += [f"kpt_shape: [{points}, 3]"]
        lines += [f"flip_idx: [{', '.join(map(str, mirror))}]"] if mirror is not None else []
    told = data.details.get("keypoints") or {}
    if told:
        listed = {names.index(name): words for name, words in told.items() if name in names}
        lines += ["kpt_names:"]
        lines += [f"  {place}: [{', '.join(map(quoted, words))}]" for place, words in sorted(listed.items())]
    lines += ["names:", *(f"  {place}: {quoted(name)}" for place, name in enumerate(names))]
    return "\n".join(lines if names else [*lines[:-1], "names: []"]) + "\n"


def _text(
    sample: Sample,
    truth: Objects,
    size: _labels.Size | None,
    vocabulary: _labels.Vocabulary,
    kind: str,
    points: int,
    lost: Lost,
) -> str:
    classes = vocabulary.classes(truth)
    if size is None and len(truth):
        lost.drop(sample.id, "objects of a picture that cannot be read")
        return ""
    if kind == "turned" and truth.boxes.shape[1] == 4:
        if len(truth):
            lost.drop(sample.id, "upright boxes beside rotated ones")
        middle, wide = (truth.boxes[:, :2] + truth.boxes[:, 2:]) / 2, truth.boxes[:, 2:] - truth.boxes[:, :2]
        boxes = np.concatenate([middle, wide, np.zeros((len(truth), 1), np.float32)], 1)
        truth = replace(truth, boxes=boxes)
    rows = []
    for row, place in enumerate(classes):
        numbers = _numbers(sample, truth, row, size or (1, 1), kind, points, lost)
        score = [repr(_labels.short(truth.scores[row]))] if truth.scores is not None else []
        rows.append(" ".join([str(place), *(repr(number) for number in numbers), *score]) + "\n")
    return "".join(rows)


def _numbers(
    sample: Sample, truth: Objects, row: int, size: _labels.Size, kind: str, points: int, lost: Lost
) -> list[float]:
    """The numbers of one row, as fractions of the picture."""
    scale = np.array([size[1], size[0]], np.float64)
    box = truth.boxes[row].astype(np.float64)
    if kind == "turned":
        corners = geometry.corners(truth.boxes[row])
        again = np.array(turned_box(np.round(corners, 10)), np.float32)
        if not np.allclose(again, truth.boxes[row], 1e-6, 1e-6):
            lost.drop(sample.id, "rotation of boxes without a side, or beyond half a turn")
        return [float(number) for number in (corners / scale).ravel()]
    rings = truth.outlines[row] if truth.outlines is not None else ()
    if rings:
        return _outline(sample, rings, truth.boxes[row], scale, lost)
    box = _labels.right_way(box, sample.id, lost)
    numbers = [*((box[:2] + box[2:]) / 2 / scale), *((box[2:] - box[:2]) / scale)]
    if kind == "points":
        mine = np.zeros((points, 3))
        if truth.keypoints is not None:
            mine[: truth.keypoints.shape[1]] = truth.keypoints[row]
        numbers += [*(mine / [*scale, 1.0]).ravel()]
    return [float(number) for number in numbers]


def _outline(sample: Sample, rings: Any, box: np.ndarray, scale: np.ndarray, lost: Lost) -> list[float]:
    """One ring; of several the largest is kept where a loss is allowed."""
    if len(rings) > 1:
        lost.drop(sample.id, "outlines beyond their largest ring")
        rings = (max(rings, key=lambda ring: geometry.rings_area((ring,))),)
    elif not np.array_equal(geometry.rings_bounds(rings), box):
        lost.drop(sample.id, "boxes that are not the bounds of their outline")
    ring = rings[0].astype(np.float64)
    while len(ring) < 3:
        ring = np.concatenate([ring, ring[-1:]])
    return [float(number) for number in (ring / scale).ravel()]
