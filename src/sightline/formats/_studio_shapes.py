"""Results of Label Studio as things, and its way to pack a mask into bits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.errors import InputError
from sightline.formats import _json, _labels

SHAPES = ("rectangle", "polygon", "ellipse", "brush", "keypoint")
_RESULT = (
    "id", "type", "value", "original_width", "original_height", "image_rotation", "from_name", "to_name", "score",
    "meta",
)  # fmt: skip
_EXACT = 10  # digits behind the point of a pixel
_LONGEST = 2**30  # numbers in a brush


def chosen(task: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    """The annotation that counts: finished, and marked as ground truth where one is."""
    listed = _json.rows(task.get("annotations") or [], "'annotations'", where)
    rows = [_json.table(row, "an annotation", where) for row in listed]
    done = [place for place, row in enumerate(rows) if not row.get("was_cancelled")]
    marked = [place for place in done if rows[place].get("ground_truth")]
    best = (marked or done)[:1]
    return listed[best[0]] if best else None


def results(annotation: Mapping[str, Any] | None, where: str) -> list[Mapping[str, Any]]:
    """What one annotation says."""
    if annotation is None:
        return []
    rows = _json.rows(annotation.get("result") or [], "'result'", where)
    return [_json.table(row, "a result", f"{where} result {place}") for place, row in enumerate(rows)]


def is_region(result: Mapping[str, Any]) -> bool:
    """Whether a result has a place in the picture, or says more of one that has."""
    value = result.get("value")
    return isinstance(value, Mapping) and any(key in value for key in ("x", "points", "rle"))


def named(result: Mapping[str, Any], where: str) -> list[str]:
    """The names that a result gives."""
    value = result.get("value")
    if not isinstance(value, Mapping):
        return []
    keys = [
        key for key in value if key == "labels" or key == "choices" or (key.endswith("labels") and key[:-6] in SHAPES)
    ]
    return [_json.text(name, "a label", where) for key in keys for name in _json.rows(value[key], f"'{key}'", where)]


def things(rows: Sequence[Mapping[str, Any]], picture: Path, where: str) -> list[_labels.Thing]:
    """The regions; results with one id are one region."""
    made: dict[str, _labels.Thing] = {}
    size: _labels.Size | None = None
    for place, row in enumerate(rows):
        at, identity = f"{where} result {place}", str(row.get("id", f"#{place}"))
        told = (row.get("original_height"), row.get("original_width"))
        if None not in told:
            size = (_json.whole(told[0], "the height", at), _json.whole(told[1], "the width", at))
        size = size or _labels.size_in(picture)
        if row.get("image_rotation"):
            raise InputError("label", f"{at}: the picture was turned in the tool; export it upright.")
        if identity in made:
            _more(made[identity], row, at)
        else:
            made[identity] = _region(row, size, len(made), at)
    for thing in made.values():
        if not thing.name:
            raise InputError("label", f"{where}: a region without a label.")
    return list(made.values())


def _more(thing: _labels.Thing, row: Mapping[str, Any], where: str) -> None:
    """What a further result with the same id says: labels, choices or a text."""
    value = _json.table(row.get("value"), "'value'", where)
    if row.get("type") == "textarea":
        words = value.get("text")
        thing.text = (
            "\n".join(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else str(words)
        )
    elif row.get("type") == "choices":
        thing.details["choices"] = named(row, where)
    elif not thing.name:
        _name(thing, named(row, where))


def _name(thing: _labels.Thing, names: list[str]) -> None:
    thing.name = names[0] if names else ""
    if len(names) > 1:
        thing.details["labels"] = names[1:]


def _region(row: Mapping[str, Any], size: _labels.Size, place: int, where: str) -> _labels.Thing:
    value = _json.table(row.get("value"), "'value'", where)
    kind = str(row.get("type", "")).removesuffix("labels")
    if kind not in SHAPES:  # the type may be that of a label on a shape
        kind = (
            "brush"
            if "rle" in value
            else "polygon"
            if "points" in value
            else "ellipse"
            if "radiusX" in value
            else "rectangle"
        )
    thing = _labels.Thing("", ())
    _name(thing, named(row, where))
    thing.details |= {key: word for key, word in row.items() if key not in _RESULT}
    if row.get("id") is not None and row["id"] != f"r{place}":
        thing.details["id"] = row["id"]
    for key, usual in (("from_name", kind), ("to_name", "image")):
        if row.get(key, usual) != usual:
            thing.details[key] = row[key]
    if row.get("meta"):
        thing.details["meta"] = row["meta"]
    if row.get("score") is not None:
        thing.score = _json.number(row["score"], "'score'", where)
    _place(thing, kind, value, size, where)
    return thing


def _place(thing: _labels.Thing, kind: str, value: Mapping[str, Any], size: _labels.Size, where: str) -> None:
    if size[0] < 1 or size[1] < 1 or size[0] * size[1] > 2**28:
        raise InputError("label", f"{where}: a picture of {size[0]} x {size[1]}.")
    scale = np.array([size[1], size[0]]) / 100
    if kind == "brush":
        thing.mask = unpacked(value.get("rle"), size, where)
        rows, columns = np.flatnonzero(thing.mask.any(1)), np.flatnonzero(thing.mask.any(0))
        if len(rows):
            thing.box = [float(n) for n in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)]
        else:
            thing.box = [0.0, 0.0, 0.0, 0.0]
        if value.get("box") is not None:
            thing.box = _json.numbers(value["box"], "'box'", where, each=4, least=1)[0].tolist()
        return
    if kind == "polygon":
        pairs = [
            _json.numbers(pair, "a point", where, each=2, least=1)
            for pair in _json.rows(value.get("points"), "'points'", where)
        ]
        if len(pairs) < 1 or any(len(pair) != 1 for pair in pairs):
            raise InputError("label", f"{where}: 'points' must be pairs of x and y.")
        ring = np.round(np.concatenate(pairs) * scale, _EXACT).astype(np.float32)
        thing.rings, thing.box = (ring,), geometry.rings_bounds((ring,)).tolist()
        if value.get("box") is not None:
            thing.box = _json.numbers(value["box"], "'box'", where, each=4, least=1)[0].tolist()
        return
    low = np.array([_json.number(value.get(key), f"'{key}'", where) for key in ("x", "y")])
    turn = value.get("rotation", 0)
    angle = math.radians(_json.number(turn, "'rotation'", where))
    angle -= 2 * math.pi * round(angle / (2 * math.pi)) if abs(angle) > math.pi else 0.0
    turned = isinstance(turn, float) or angle != 0
    if kind == "keypoint":
        point = np.round(low * scale, _EXACT).tolist()
        thing.box = [*point, *point]
        thing.details |= {
            "shape": "point",
            "points": [point],
            **({"width": value["width"]} if "width" in value else {}),
        }
    elif kind == "ellipse":
        radii = np.array([_json.number(value.get(key), f"'{key}'", where) for key in ("radiusX", "radiusY")])
        thing.details["shape"] = "ellipse"
        corners = [*((low - radii) * scale), *((low + radii) * scale)]
        thing.box = _turned(low * scale, 2 * radii * scale, angle) if turned else np.round(corners, _EXACT).tolist()
    else:
        wide = np.array([_json.number(value.get(key), f"'{key}'", where) for key in ("width", "height")])
        if (wide < 0).any():
            raise InputError("label", f"{where}: a rectangle of {wide[0]} x {wide[1]}.")
        around = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        middle = low * scale + around @ (wide * scale / 2)  # it turns around its first corner
        corners = [*(low * scale), *((low + wide) * scale)]
        thing.box = _turned(middle, wide * scale, angle) if turned else np.round(corners, _EXACT).tolist()


def _turned(middle: np.ndarray, wide: np.ndarray, angle: float) -> list[float]:
    return [*np.round([*middle, *wide], _EXACT).tolist(), angle]


def unpacked(value: Any, size: _labels.Size, where: str) -> np.ndarray:
    """The mask in a brush: runs of four channels of eight bits, packed into bits of which some say the lengths."""
    data = _json.rows(value, "'rle'", where)
    if not all(type(byte) is int and 0 <= byte < 256 for byte in data):
        raise InputError("label", f"{where}: 'rle' must be a list of bytes.")
    bits = "".join(f"{byte:08b}" for byte in data)
    place = 0

    def take(count: int) -> int:
        nonlocal place
        if place + count > len(bits):
            raise InputError("label", f"{where}: 'rle' ends too early.")
        place += count
        return int(bits[place - count : place], 2)

    total = take(32)
    if total != size[0] * size[1] * 4 or total > _LONGEST:
        raise InputError("label", f"{where}: 'rle' holds {total // 4} pixels; the picture has {size[0] * size[1]}.")
    word = take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    values, runs, have = [], [], 0
    while have < total:
        same = take(1)
        count = take(lengths[take(2)]) + 1
        for one, times in [(take(word), count)] if same else [(take(word), 1) for _ in range(count)]:
            values.append(one)
            runs.append(times)
        have += count
    if have != total:
        raise InputError("label", f"{where}: 'rle' holds more than its pixels.")
    flat = np.repeat(np.array(values) > 0, runs)
    return flat[3::4].reshape(size)


def packed(mask: np.ndarray) -> list[int]:
    """A mask as a brush."""
    flat = mask.ravel()
    turns = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    lengths = (3, 4, 8, 16)
    parts = [f"{flat.size * 4:032b}", f"{7:05b}", *(f"{length - 1:04b}" for length in lengths)]
    for start, end in zip(turns[:-1].tolist(), turns[1:].tolist(), strict=True):
        left = (end - start) * 4
        while left:
            run = min(left, 2**16)
            kind = next(kind for kind, length in enumerate(lengths) if run <= 2**length)
            parts.append(f"1{kind:02b}{run - 1:0{lengths[kind]}b}{255 if flat[start] else 0:08b}")
            left -= run
    bits = "".join(parts)
    bits += "0" * (-len(bits) % 8)
    return [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]
