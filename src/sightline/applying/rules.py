"""What a rule asks of a picture: `mean_hue < 30 and count > 2`, and the numbers that such words stand for."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sightline.core import geometry, measures
from sightline.core.annotations import Objects, Regions, Value
from sightline.core.depth import unit
from sightline.core.errors import SettingsError, nearest

COLOURS = {
    "mean_hue": "degrees of the colour circle, the more colourful pixels weighing more",
    "mean_saturation": "0 to 1",
    "mean_value": "0 to 1",
    "mean_red": "0 to 1",
    "mean_green": "0 to 1",
    "mean_blue": "0 to 1",
}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_ASKED = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(<=|>=|==|!=|<|>)\s*(-?\d*\.?\d+(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class When:
    """Comparisons with numbers; all of a group must hold, and one group is enough."""

    text: str
    groups: tuple[tuple[tuple[str, str, float], ...], ...]

    @classmethod
    def parse(cls, text: Any) -> Self:
        """The comparisons of a text; `and` binds more than `or`."""
        if isinstance(text, cls):
            return text
        groups = tuple(tuple(map(_asked, re.split(r"\band\b", group))) for group in re.split(r"\bor\b", str(text)))
        return cls(str(text), groups)

    def holds(self, numbers: Mapping[str, float]) -> bool:
        """Whether it is so; a number that cannot be told (NaN) fulfils nothing."""
        return any(all(_OPERATORS[sign](numbers[name], bound) for name, sign, bound in group) for group in self.groups)

    @property
    def names(self) -> set[str]:
        """The numbers it asks for."""
        return {name for group in self.groups for name, _, _ in group}

    def plain(self) -> str:
        """As it was written."""
        return self.text


def _asked(text: str) -> tuple[str, str, float]:
    found = _ASKED.fullmatch(text)
    if found is None:
        raise SettingsError(f"rule: '{text.strip()}' is no comparison; write one such as mean_hue<30 and count>=2.")
    return found[1], found[2], float(found[3])


def numbers(
    names: set[str],
    pixels: np.ndarray,
    objects: Objects | None,
    regions: Regions | None,
    value: Value | None,
    inside: str = "",
) -> dict[str, float]:
    """What these names stand for in a picture in which this was found; `inside` a region where only that counts."""
    known = _found(pixels, objects, regions, value)
    area = None if not inside else _inside(regions, inside)
    if names & set(COLOURS):
        known |= _colours(pixels, area)
    if names & set(measures.NAMES):
        known |= measures.measure(pixels)
    for name in sorted(names - set(known)):
        able = [*known, *COLOURS, *measures.NAMES]
        asked = " It needs something that finds them first." if name.startswith(("count", "share_", "largest")) else ""
        raise SettingsError(f"rule: there is no number '{name}' here.{nearest(name, able)}{asked}")
    return {name: known[name] for name in names}


def _found(
    pixels: np.ndarray, objects: Objects | None, regions: Regions | None, value: Value | None
) -> dict[str, float]:
    known: dict[str, float] = {}
    whole = float(np.prod(pixels.shape[:2]))
    if objects is not None:
        areas = areas_of(objects)
        known |= {"count": float(len(objects)), "largest": float(areas.max(initial=0.0)) / whole}
        for number, name in enumerate(objects.names):
            known[f"count_{name}"] = float((objects.classes == number).sum())
    if regions is not None:
        for number, name in enumerate(regions.names):
            known[f"share_{name}"] = float((regions.classes == number).mean())
    if value is not None:
        known |= dict(zip(value.names, map(float, value.numbers), strict=True))
    return known


def areas_of(objects: Objects) -> np.ndarray:
    """Pixels of every thing: of its mask, as its finder counted them, or of its box."""
    if objects.masks is not None:
        return np.asarray(objects.masks.sum((1, 2)), np.float64)
    boxes = objects.boxes.astype(np.float64)
    areas = geometry.area(boxes) if boxes.shape[1] == 4 else boxes[:, 2] * boxes[:, 3]
    if objects.details is None:
        return np.asarray(areas)
    told = [details.get("area", area) for details, area in zip(objects.details, areas.tolist(), strict=True)]
    return np.array(told, np.float64)


def _inside(regions: Regions | None, name: str) -> np.ndarray:
    if regions is None:
        raise SettingsError(f"rule: inside={name} needs a step before it that finds regions, such as otsu.")
    if name not in regions.names:
        listed = ", ".join(regions.names)
        raise SettingsError(f"rule: no region is called '{name}'.{nearest(name, regions.names)} Known: {listed}.")
    return np.asarray(regions.classes == regions.names.index(name))


def _colours(pixels: np.ndarray, area: np.ndarray | None) -> dict[str, float]:
    """Means of the colours; NaN where no pixel has any."""
    import cv2

    light = unit(pixels if pixels.ndim == 3 else pixels[..., None])
    light = np.repeat(light, 3, 2) if light.shape[2] == 1 else np.ascontiguousarray(light[..., :3])
    turned = cv2.cvtColor(light, cv2.COLOR_RGB2HSV)
    rows, hues = (each.reshape(-1, 3) if area is None else each[area] for each in (light, turned))
    if not len(rows):
        return dict.fromkeys(COLOURS, float("nan"))
    chroma, angle = hues[:, 1] * hues[:, 2], np.deg2rad(hues[:, 0].astype(np.float64))
    east, north = float((chroma * np.cos(angle)).sum()), float((chroma * np.sin(angle)).sum())
    hue = float(np.rad2deg(np.arctan2(north, east))) % 360 if east or north else float("nan")
    red, green, blue = rows.mean(0, dtype=np.float64).tolist()
    _, saturation, value = hues.mean(0, dtype=np.float64).tolist()
    return dict(zip(COLOURS, (hue, saturation, value, red, green, blue), strict=True))
