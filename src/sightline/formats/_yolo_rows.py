"""Rows of YOLO's label files: what the numbers mean, and back to pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.errors import InputError
from sightline.formats import _json, _labels
from sightline.formats._paths import lines_of

KEYS = ("kpt_shape", "flip_idx", "kpt_names", "task")
_FURTHEST = 16.0  # pictures away; whole pixels in place of fractions are beyond
_LARGEST = 2**26  # bytes of a label file
_EXACT = 10  # digits behind the point of a pixel


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rows of a data set hold."""

    names: tuple[str, ...]
    points: int = 0
    numbers: int = 3  # of each key point: x, y and perhaps visibility
    mirror: tuple[int, ...] | None = None
    turned: bool = False


def shape_of(known: Mapping[str, Any], files: Sequence[Path], names: tuple[str, ...], where: str) -> Shape:
    """What data.yaml says of the rows, or else the first label files show."""
    if known.get("kpt_shape") is not None:
        count, each = (int(n) for n in _json.numbers(known["kpt_shape"], "'kpt_shape'", where, each=2, least=1)[0])
        if not (0 < count <= 10_000 and each in (2, 3)):
            raise InputError("label", f"{where}: 'kpt_shape' must be how many points of 2 or 3 numbers.")
        mirror = known.get("flip_idx")
        twins = None if mirror is None else tuple(int(n) for n in _json.numbers(mirror, "'flip_idx'", where)[:, 0])
        if twins is not None and sorted(twins) != list(range(count)):
            raise InputError("label", f"{where}: 'flip_idx' must name each of {count} points once.")
        return Shape(names, count, each, twins)
    if known.get("task") is not None:
        return Shape(names, turned=known["task"] == "obb")
    rows = [words for file in files for words in _rows(file)]
    return Shape(names, turned=bool(rows) and all(len(words) == 9 and _is_rectangle(words[1:]) for words in rows))


def details_of(known: Mapping[str, Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
    """Names of key points by class."""
    told = known.get("kpt_names")
    if not isinstance(told, Mapping):
        return {}
    points = {}
    for place, listed in told.items():
        if not isinstance(place, int) or not 0 <= place < len(names):
            raise InputError("label", f"{where}: 'kpt_names' of class {str(place)[:40]!r}, which has no name.")
        points[names[place]] = [str(point) for point in _json.rows(listed, "'kpt_names'", where)]
    return {"keypoints": points}


def _rows(file: Path) -> list[list[str]]:
    try:
        return [line.split() for line in lines_of(file, _LARGEST) if line.strip()]
    except InputError:
        return []  # said when its sample is asked for


def _is_rectangle(words: list[str]) -> bool:
    try:
        corners = np.array(words, np.float64).reshape(4, 2)
    except ValueError:
        return False
    return bool(np.abs(corners[0] - corners[1] + corners[2] - corners[3]).max() < 1e-3)  # a parallelogram at least


def parsed(file: Path, size: _labels.Size, shape: Shape) -> Objects:
    """The things of one picture."""
    things = []
    for number, line in enumerate(lines_of(file, _LARGEST), 1):
        if line.strip():
            things.append(_thing(line.split(), size, shape, f"{file} line {number}"))
    return _labels.gathered(things, shape.names, points=shape.points if things else 0, mirror=shape.mirror)


def _thing(words: list[str], size: _labels.Size, shape: Shape, where: str) -> _labels.Thing:
    try:
        numbers = np.array(words, np.float64)
    except ValueError as error:
        raise InputError("label", f"{where}: not numbers ({error}).") from error
    if not (np.abs(numbers[1:]) <= _FURTHEST).all() or any("_" in word for word in words):
        raise InputError("label", f"{where}: coordinates must be fractions of the picture, not {line_of(words)}.")
    place = numbers[0]
    if not 0 <= place < len(shape.names) or not float(place).is_integer():
        raise InputError("label", f"{where}: class {words[0][:20]} has no name; there are {len(shape.names)} names.")
    wanted = _wanted(shape)
    least, free = (wanted, False) if wanted else (5, len(words) > 6)
    scored = len(words) == least + 1 or (free and len(words) % 2 == 0)
    if not (len(words) == least + scored or free) or len(words) < 5:
        raise InputError("label", f"{where}: {len(words)} numbers; a row has {_rule(shape)}, and perhaps a score.")
    thing = _labels.Thing(shape.names[int(place)], (), score=float(numbers[-1]) if scored else None)
    body = numbers[1 : len(words) - scored]
    scale = np.array([size[1], size[0]], np.float64)
    if free or shape.turned:
        corners = np.round(body.reshape(-1, 2) * scale, _EXACT)
        if shape.turned:
            thing.box = turned_box(corners)
        else:
            thing.rings = (corners.astype(np.float32),)
            thing.box = [*corners.min(0).tolist(), *corners.max(0).tolist()]
        return thing
    width, height = body[2:4].tolist()
    if width < 0 or height < 0:
        raise InputError("label", f"{where}: a box of {width} x {height}.")
    low, high = (body[:2] - body[2:4] / 2) * scale, (body[:2] + body[2:4] / 2) * scale
    thing.box = np.round([*low, *high], _EXACT).tolist()
    if shape.points:
        points = body[4:].reshape(shape.points, shape.numbers)
        seen = points[:, 2] if shape.numbers == 3 else np.where(points.any(1), 2, 0)
        thing.points = np.concatenate([np.round(points[:, :2] * scale, _EXACT), seen[:, None]], 1)
    return thing


def line_of(words: Sequence[str]) -> str:
    """The first words of a row, for a message."""
    return repr(" ".join(words)[:60])


def _wanted(shape: Shape) -> int:
    """How many numbers every row has; 0 where boxes and outlines may be mixed."""
    return 9 if shape.turned else 5 + shape.points * shape.numbers if shape.points else 0


def _rule(shape: Shape) -> str:
    wanted = _wanted(shape)
    return f"{wanted}" if wanted else "5 (a box), or 1 and three pairs or more (an outline)"


def turned_box(corners: np.ndarray) -> list[float]:
    """Centre, size and angle of four corners; the first side is the width."""
    across, down = corners[1] - corners[0], corners[2] - corners[1]
    width, height = float(np.hypot(*across)), float(np.hypot(*down))
    middle = np.round(corners.mean(0), _EXACT).tolist()
    return [*middle, round(width, _EXACT), round(height, _EXACT), float(np.arctan2(across[1], across[0]))]
