"""Categories of COCO: names by id, their parents, and their key points with left-right twins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.errors import InputError
from sightline.formats import _json

_CATEGORY = ("id", "name", "supercategory", "keypoints", "skeleton", "mirror")


class Categories:
    """Names by id, and what the file says of each."""

    def __init__(self, rows: Any, where: str) -> None:
        where = f"{where}: 'categories'"
        self.names: dict[int, str] = {}
        self.points: dict[str, list[str]] = {}
        self.details: dict[str, dict[str, Any]] = {
            key: {} for key in ("categories", "parents", "keypoints", "skeleton")
        }
        self.most = 0
        self.mirror: tuple[int, ...] | None = None
        for place, row in enumerate(_json.rows(rows, "the list", where)):
            self._add(place, dict(_json.table(row, "a category", where)), where)

    def _add(self, place: int, row: dict[str, Any], where: str) -> None:
        name, number = _json.text(row.get("name"), "'name'", where), _json.whole(row.get("id"), "'id'", where)
        if number in self.names or name in self.names.values():
            raise InputError("label", f"{where}: two categories share the id {number} or the name '{name[:60]}'.")
        self.names[number] = name
        kept = {key: value for key, value in row.items() if key not in _CATEGORY}
        if number != place + 1:
            kept["id"] = number
        parent = row.get("supercategory")
        if isinstance(parent, str) and parent not in ("", name, "none"):
            self.details["parents"][name] = parent
        elif parent not in (None, ""):
            kept["supercategory"] = parent
        if row.get("keypoints"):
            points = [str(point) for point in _json.rows(row["keypoints"], "'keypoints'", where)]
            self._say_points(name, points, row, where)
        if kept:
            self.details["categories"][name] = kept

    def _say_points(self, name: str, points: list[str], row: dict[str, Any], where: str) -> None:
        self.points[name], self.most = points, max(self.most, len(points))
        if not is_made_up(points):
            self.details["keypoints"][name] = points
        if row.get("skeleton"):
            pairs = [_json.numbers(pair, "'skeleton'", where, each=2, least=1) for pair in row["skeleton"]]
            self.details["skeleton"][name] = [[int(a) - 1, int(b) - 1] for a, b in np.concatenate(pairs).tolist()]
        mirror = row.get("mirror") or mirrored(points)
        if self.mirror is None and mirror is not None and len(points) == self.most:
            if sorted(_json.numbers(mirror, "'mirror'", where)[:, 0].tolist()) != list(range(len(points))):
                raise InputError("label", f"{where}: 'mirror' must name each keypoint's twin once.")
            self.mirror = tuple(int(twin) for twin in mirror)


def made_up(count: int, twins: Sequence[int] | None) -> list[str]:
    """Names for key points that have none; they tell the twins, if there are any."""
    names = [f"point_{place}" for place in range(count)]
    for place, twin in enumerate(twins or ()):
        if twin > place and twins is not None and twins[twin] == place:
            names[place], names[twin] = f"left_{place}", f"right_{place}"
    return names


def is_made_up(points: Sequence[str]) -> bool:
    """Whether these are such names."""
    return all(re.fullmatch(r"(point|left|right)_\d+", point) for point in points)


def mirrored(points: Sequence[str]) -> list[int] | None:
    """The left-right twin of each key point, told by its name; None where no name has a side."""
    swap = {"left": "right", "right": "left", "l": "r", "r": "l"}
    index = {point.lower(): place for place, point in enumerate(points)}
    twins = []
    for place, point in enumerate(points):
        words = re.split(r"([^a-z]+)", point.lower())
        twins.append(index.get("".join(swap.get(word, word) for word in words), place))
    known = sorted(twins) == list(range(len(points))) and twins != list(range(len(points)))
    return twins if known else None
