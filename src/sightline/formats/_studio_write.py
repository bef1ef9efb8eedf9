"""Label Studio's tasks and labelling set-up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _json, _labels, _studio_shapes, _writing
from sightline.formats._xml import written

_HELD = ("rotation", "masks", "outlines", "scores", "texts", "details")
_TAKEN = ("type", "value", "original_width", "original_height", "image_rotation", "score")
_TAGS = {"rectangle": "RectangleLabels", "polygon": "PolygonLabels", "ellipse": "EllipseLabels"}
_TAGS |= {"brush": "BrushLabels", "keypoint": "KeyPointLabels"}
_KEPT = ("id", "annotation", "annotations", "predictions", "task", "results", "image key")


def write(data: Dataset, path: Path, lost: Lost) -> Path:
    """Pictures under images, tasks.json and config.xml."""
    taken: set[str] = set()
    vocabulary = _labels.Vocabulary()
    vocabulary.add(data._names or ())
    _labels.whole_details(data, lost)
    choices = data.kind is Labels
    tasks: list[bytes] = []
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "given"):
                continue
            encoded = sample.image.encoded()
            name = _writing.place_of(sample, _writing.suffix_of(encoded, sample.image), taken, "images")
            _writing.store(folder / name, encoded)
            size = _labels.size_of(encoded, sample.id)
            task = _task(sample, name, size, vocabulary, choices, len(tasks), lost)
            tasks.append(_json.dump(task, sample.id))
        _writing.refuse_nothing(len(tasks), data, lost)
        if choices and not vocabulary.names:
            lost.drop(data.name, "labels without a name")
        _writing.store(folder / "config.xml", _config(vocabulary.names, choices).encode())
        _writing.store(folder / "tasks.json", b"[" + b",\n".join(tasks) + b"]\n")
    return path


def _config(names: list[str], choices: bool) -> str:
    """The set-up that shows the pictures with these names."""
    if choices:
        inner = "".join(written("Choice", value=name) for name in names)
        controls = [written("Choices", inner, name="choice", toName="image", choice="multiple")]
    else:
        inner = "".join(written("Label", value=name) for name in names)
        controls = [written(tag, inner, name=kind, toName="image") for kind, tag in _TAGS.items()]
    lines = [written("Image", name="image", value="$image"), *controls]
    return "\n".join(["<View>", *(f"  {line}" for line in lines), "</View>"]) + "\n"


def _task(
    sample: Sample,
    name: str,
    size: _labels.Size | None,
    vocabulary: _labels.Vocabulary,
    choices: bool,
    place: int,
    lost: Lost,
) -> dict[str, Any]:
    """One picture: what it is, what was annotated, what a model predicted."""
    told = dict(sample.attributes)
    data: dict[str, Any] = {"image": f"/data/local-files/?d={quote(name)}"}
    if sample.split is not None and sample.split not in SIDES:
        lost.drop(sample.id, f"split, which must be one of {', '.join(SIDES)}")
    elif sample.split is not None:
        data["split"] = sample.split
    if sample.group is not None:
        data["group"] = sample.group
    for key, value in told.items():
        if key in data or key in ("split", "group"):
            lost.drop(sample.id, f"attribute '{key}'")
        elif key not in _KEPT:
            data[key] = value
    rows = told.get("annotations") or []
    kept = told.get("annotation") or {}
    if not isinstance(rows, list) or not isinstance(kept, dict):
        lost.drop(sample.id, "attributes of annotations that are none")
        rows, kept = [], {}
    result = _result(sample, size, vocabulary, choices, lost)
    task: dict[str, Any] = {
        **(told["task"] if isinstance(told.get("task"), dict) else {}),
        "id": told.get("id", place + 1),
    }
    task |= {"data": data, "annotations": [*([] if result is None else [{**kept, "result": result}]), *rows]}
    task |= {"predictions": told["predictions"]} if told.get("predictions") else {}
    return task


def _result(
    sample: Sample, size: _labels.Size | None, vocabulary: _labels.Vocabulary, choices: bool, lost: Lost
) -> list[dict[str, Any]] | None:
    truth, loose = sample.truth, sample.attributes.get("results") or []
    if choices and isinstance(truth, Labels):
        if truth.scores is not None:
            lost.drop(sample.id, "scores")
        vocabulary.add(truth.names)
        if loose or not truth.names:
            return list(loose)
        value = {"choices": list(truth.names)}
        return [{"id": "c0", "type": "choices", "from_name": "choice", "to_name": "image", "value": value}]
    objects = _labels.objects_of(sample, lost, _HELD)
    if objects is None:
        return None
    vocabulary.add(objects.names)
    if size is None and len(objects):
        lost.drop(sample.id, "objects of a picture that cannot be read")
        return list(loose)
    made = [row for place in range(len(objects)) for row in _region(sample.id, objects, place, size or (1, 1), lost)]
    return [*made, *loose]


def _region(sample: str, truth: Objects, row: int, size: _labels.Size, lost: Lost) -> list[dict[str, Any]]:
    """One thing, and its text."""
    told = _labels.details_of(truth, row, sample, lost, None)
    name = truth.names[truth.classes[row]]
    kind, value = _value(sample, truth, row, told, size, lost)
    identity = told.pop("id", f"r{row}")
    value[f"{kind}labels"] = [name, *(told.pop("labels", []))]
    made: dict[str, Any] = {"id": identity, "type": f"{kind}labels", "from_name": kind, "to_name": "image"}
    made |= {"original_width": size[1], "original_height": size[0], "image_rotation": 0, "value": value}
    score = truth.scores[row] if truth.scores is not None else told.pop("score", None)
    if score is not None:
        made["score"] = _labels.short(score)
    text = truth.texts[row] if truth.texts is not None else told.pop("text", None)
    chosen = told.pop("choices", None)
    for key, word in told.items():
        if key in _TAKEN:
            lost.drop(sample, f"'{key}' of objects")
        else:
            made[key] = word
    rows = [made]
    common = {
        "id": identity,
        "to_name": "image",
        "original_width": size[1],
        "original_height": size[0],
        "image_rotation": 0,
    }
    place = {key: value[key] for key in ("x", "y", "points", "rle") if key in value}
    if text is not None:
        rows.append({**common, "type": "textarea", "from_name": "text", "value": {**place, "text": [text]}})
    if chosen is not None:
        rows.append({**common, "type": "choices", "from_name": "choice", "value": {**place, "choices": chosen}})
    return rows


def _value(
    sample: str, truth: Objects, row: int, told: dict[str, Any], size: _labels.Size, lost: Lost
) -> tuple[str, dict[str, Any]]:
    """The shape, and its place in percent."""
    box, scale = truth.boxes[row].astype(np.float64), np.array([size[1], size[0]]) / 100
    rings = truth.outlines[row] if truth.outlines is not None else ()
    mask = truth.masks[row] if truth.masks is not None else None
    traced, shape, points = told.pop("mask", None) is True, told.pop("shape", None), told.pop("points", None)
    if mask is not None and rings:
        lost.drop(sample, "outlines beside masks")
    elif mask is None and len(rings) > 1 and not traced:
        lost.drop(sample, "outlines of several rings, other than as masks")
    if mask is None and (traced or len(rings) > 1):
        mask = geometry.fill(rings, size)
    if mask is not None and mask.shape == size:
        value: dict[str, Any] = {"format": "rle", "rle": _studio_shapes.packed(mask)}
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        around = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] if len(rows) else [0, 0, 0, 0]
        return "brush", value if box.tolist() == around else {**value, "box": _labels.flat(truth.boxes[row])}
    if mask is not None:
        lost.drop(sample, "masks of another size than the picture")
    if rings:
        value = {"points": (rings[0] / scale).tolist(), "closed": True}
        same = np.array_equal(geometry.rings_bounds(rings), truth.boxes[row])
        return "polygon", value if same else {**value, "box": _labels.flat(truth.boxes[row])}
    if shape == "point" and points is not None and np.array_equal(box, np.array([*points[0], *points[0]], np.float32)):
        x, y = (np.array(points[0]) / scale).tolist()
        return "keypoint", {"x": x, "y": y, "width": told.pop("width", 1)}
    if shape not in (None, "ellipse"):
        lost.drop(sample, f"shape '{shape}'")
    return _boxed(sample, box, shape == "ellipse", scale, lost)


def _boxed(sample: str, box: np.ndarray, ellipse: bool, scale: np.ndarray, lost: Lost) -> tuple[str, dict[str, Any]]:
    rotation: float = 0  # a whole zero for boxes that are upright
    if len(box) == 5:
        middle, wide, angle = box[:2], box[2:4], float(box[4])
        rotation = math.degrees(angle)
        if abs(angle) > math.pi:
            lost.drop(sample, "rotation beyond half a turn")
    else:
        box = _labels.right_way(box, sample, lost)
        middle, wide, angle = (box[:2] + box[2:]) / 2, box[2:] - box[:2], 0.0
    if ellipse:
        (x, y), (across, down) = (middle / scale).tolist(), (wide / 2 / scale).tolist()
        return "ellipse", {"x": x, "y": y, "radiusX": across, "radiusY": down, "rotation": rotation}
    around = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    low = middle - around @ (wide / 2) if len(box) == 5 else box[:2]
    (x, y), (width, height) = (low / scale).tolist(), (wide / scale).tolist()
    return "rectangle", {"x": x, "y": y, "width": width, "height": height, "rotation": rotation}
