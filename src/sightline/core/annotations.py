"""What is true of a picture and what a model answers: the same few frozen records, with or without scores.

Arrays in a record are columns and are not written to; `classes` index `names`. Coordinates are pixels of the
original picture, x to the right and y down, edges at 0 and at the width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.columns import RAGGED, from_plain, from_text, ragged_from_plain, ragged_to_plain, to_plain, to_text
from sightline.core.errors import InputError, nearest
from sightline.core.objects import Objects as Objects
from sightline.core.record import Annotation as Annotation
from sightline.core.record import apart


@dataclass(frozen=True, slots=True, eq=False)
class Labels(Annotation):
    """Names with scores, one or many a picture; without scores every name holds."""

    names: tuple[str, ...]
    scores: np.ndarray | None = None
    outlier: float | None = None  # how unlike the picture is to those learnt from: 0 is usual, 1 the limit
    tolerance: ClassVar[float] = 1e-3

    @property
    def best(self) -> str:
        """The name with the highest score (the first name where there are no scores)."""
        if not self.names:
            return ""
        return self.names[0 if self.scores is None else int(np.argmax(self.scores))]

    def leading(self, most: int) -> np.ndarray:
        """Places of the best names, the best first; of a thousand names few are wanted, so not all are sorted."""
        if self.scores is None:
            return np.arange(min(most, len(self.names)))
        scores, count = self.scores, len(self.scores)
        if 0 < most < count:
            first = scores.argpartition(count - most)[count - most :]
            first.sort()
        else:
            first = np.arange(count)
        best = scores[first]
        if count and np.isnan(best.min()):  # no number counts as the largest, so one that is there is among these
            return Labels(self.names, np.nan_to_num(scores, nan=-1.0)).leading(most)
        return first[(-best).argsort(kind="stable")]

    def score(self, name: str) -> float:
        if name not in self.names:
            return 0.0
        return 1.0 if self.scores is None else float(self.scores[self.names.index(name)])

    def gap(self, other: Labels) -> float:
        if self.names == other.names and self.scores is not None and other.scores is not None:
            far = apart(self.scores, other.scores)
        else:
            names = sorted({*self.names, *other.names})
            far = apart(np.array([self.score(name) for name in names]), np.array([other.score(name) for name in names]))
        if self.outlier is None or other.outlier is None:
            return far if self.outlier is other.outlier else float("inf")
        odd = np.array([self.outlier]), np.array([other.outlier])
        return max(far, apart(*odd, np.maximum(np.abs(odd[0]), np.abs(odd[1])).clip(1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Value(Annotation):
    """Numbers, each with a name and, where known, an interval."""

    names: tuple[str, ...]
    numbers: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    tolerance: ClassVar[float] = 1e-3

    def gap(self, other: Value) -> float:
        if self.names != other.names:
            return float("inf")
        return apart(self.numbers, other.numbers, np.maximum(np.abs(self.numbers), np.abs(other.numbers)).clip(1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Regions(Annotation):
    """A class for every pixel (or voxel)."""

    classes: np.ndarray  # integers, the shape of the picture without channels
    names: tuple[str, ...]
    tolerance: ClassVar[float] = 1e-3

    def gap(self, other: Regions) -> float:
        if self.names != other.names or self.classes.shape != other.classes.shape:
            return float("inf")
        return float(np.mean(self.classes != other.classes))


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap(Annotation):
    """A score for every pixel and one for the picture."""

    scores: np.ndarray
    score: float = 0.0
    tolerance: ClassVar[float] = 1e-3

    def gap(self, other: Heatmap) -> float:
        if self.scores.shape != other.scores.shape:
            return float("inf")
        return max(apart(self.scores, other.scores), apart(np.array(self.score), np.array(other.score)))


@dataclass(frozen=True, slots=True, eq=False)
class Picture(Annotation):
    """Pixels of any depth, channels last."""

    pixels: np.ndarray
    tolerance: ClassVar[float] = 1 / 255 + 1e-6  # one grey level of eight bits, after rounding

    def gap(self, other: Picture) -> float:
        if self.pixels.shape != other.pixels.shape or self.pixels.dtype != other.pixels.dtype:
            return float("inf")
        return apart(self.pixels, other.pixels) / (
            np.iinfo(self.pixels.dtype).max if self.pixels.dtype.kind == "u" else 1.0
        )


@dataclass(frozen=True, slots=True, eq=False)
class Text(Annotation):
    """A string with confidence."""

    text: str
    confidence: float | None = None
    tolerance: ClassVar[float] = 1e-3

    def gap(self, other: Text) -> float:
        if self.text != other.text:
            return 1.0
        return abs((self.confidence or 0.0) - (other.confidence or 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Vector(Annotation):
    """An embedding."""

    values: np.ndarray
    tolerance: ClassVar[float] = 1e-3

    def gap(self, other: Vector) -> float:
        if self.values.shape != other.values.shape:
            return float("inf")
        longest = max(1e-12, float(np.linalg.norm(self.values)), float(np.linalg.norm(other.values)))
        away = float(np.linalg.norm(self.values - other.values)) / longest
        return float("inf") if np.isnan(away) else away


KINDS: dict[str, type[Annotation]] = {
    kind.__name__.lower(): kind for kind in (Labels, Value, Objects, Regions, Heatmap, Picture, Text, Vector)
}


def to_columns(record: Annotation, *, without: str = "") -> dict[str, np.ndarray]:
    """A record as named arrays (strings as unicode arrays), so that it can be stored without code."""
    columns = {"kind": np.array(type(record).__name__.lower())}
    for field in dataclasses.fields(record):
        if field.name == without:
            continue
        value = getattr(record, field.name)
        if field.name in RAGGED and value is not None:
            columns[field.name] = to_text(field.name, value)
        elif value is not None:
            columns[field.name] = np.asarray(value) if np.size(value) else np.asarray(value, _empty_type(value))
    return columns


def from_columns(columns: Mapping[str, np.ndarray]) -> Annotation:
    """The record that `to_columns` took apart."""
    name = str(columns["kind"])
    if name not in KINDS:
        raise InputError("label", f"'{name[:40]}' is no kind of annotation; known are {', '.join(KINDS)}.")
    given: dict[str, Any] = {}
    for field in dataclasses.fields(KINDS[name]):
        if field.name not in columns:
            continue
        value, kind = columns[field.name], str(field.type)
        if field.name in RAGGED:
            given[field.name] = from_text(field.name, value)
        elif kind.startswith("tuple"):
            given[field.name] = tuple(value.tolist())
        elif kind.startswith("np.ndarray"):
            given[field.name] = value
        else:
            given[field.name] = value.item()
    try:
        return KINDS[name](**given)
    except TypeError as error:
        raise InputError("label", f"a stored {name} lacks a column: {error}.") from error


def to_json(record: Annotation, *, largest: int = 4096) -> dict[str, Any]:
    """A record as plain JSON that reads back as the same bytes; more than `largest` numbers go as base64."""
    plain: dict[str, Any] = {"kind": type(record).__name__.lower()}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            plain[field.name] = to_plain(field.name, value, largest)
        elif field.name in RAGGED and value is not None:
            plain[field.name] = ragged_to_plain(field.name, value, largest)
        elif value is not None:
            plain[field.name] = np.asarray(value).tolist() if not isinstance(value, tuple) else list(value)
    return plain


def from_json(plain: Mapping[str, Any]) -> Annotation:
    """The record that `to_json` wrote; what cannot be true is refused."""
    kind, parts = parts_from_json(plain)
    try:
        return check(kind(**parts))
    except TypeError as error:
        raise InputError("label", f"this {plain['kind']} lacks a part: {error}.") from error


def parts_from_json(plain: Mapping[str, Any]) -> tuple[type[Annotation], dict[str, Any]]:
    """The kind of a record and its parts, each of the right type; whether they fit each other is not asked yet."""
    kind = KINDS.get(str(plain.get("kind")))
    if kind is None:
        raise InputError(
            "label", f"'{str(plain.get('kind'))[:40]}' is no kind of annotation; known are {', '.join(KINDS)}."
        )
    fields = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    parts: dict[str, Any] = {}
    for name, value in plain.items():
        if name == "kind" or value is None:
            continue
        if name not in fields:
            raise InputError("label", f"{plain['kind']} has no '{name[:40]}'.{nearest(name, fields)}")
        if name in RAGGED:
            parts[name] = ragged_from_plain(name, value)
        elif fields[name].startswith("np.ndarray"):
            parts[name] = from_plain(name, value)
        elif fields[name].startswith("tuple"):
            inner = int if "int" in fields[name] else str
            if not isinstance(value, list) or not all(type(item) is inner for item in value):
                raise InputError("label", f"'{name}' must be a list of {'numbers' if inner is int else 'strings'}.")
            parts[name] = tuple(value)
        elif isinstance(value, str if fields[name] == "str" else (int, float)):
            parts[name] = value
        else:
            raise InputError("label", f"'{name}' cannot be {str(value)[:40]!r}.")
    return kind, parts


def check(record: Annotation) -> Annotation:
    """The record, unless it says something that cannot be true: classes without a name, columns that do not fit."""
    if isinstance(record, Objects | Regions):
        classes = record.classes
        if classes.dtype.kind not in "iu":
            raise InputError("label", f"classes are whole numbers, not {classes.dtype}.")
        if classes.size and not 0 <= int(classes.min()) <= int(classes.max()) < len(record.names):
            wrong = int(classes.min()) if classes.min() < 0 else int(classes.max())
            raise InputError("label", f"class {wrong} has no name; there are {len(record.names)} names.")
    if isinstance(record, Objects):
        if not np.isfinite(record.boxes).all():
            raise InputError("label", "a box has a corner that is no number.")
        points = record.keypoints
        if points is not None and (points.ndim != 3 or points.shape[2] != 3):
            raise InputError("label", f"keypoints must be (n, k, 3), not {points.shape}.")
        if record.mirror is not None and (points is None or sorted(record.mirror) != list(range(points.shape[1]))):
            raise InputError("label", "`mirror` must name each keypoint's twin once.")
        if record.masks is not None and (record.masks.ndim < 3 or record.masks.dtype != bool):
            raise InputError("label", f"masks must be (n, rows, columns) of true and false, not {record.masks.shape}.")
        for ring in (ring for rings in record.outlines or () for ring in rings):
            if ring.ndim != 2 or ring.shape[1] != 2 or ring.dtype.kind != "f" or not np.isfinite(ring).all():
                raise InputError("label", f"a ring of an outline must be (points, 2) numbers, not {ring.shape}.")
    columns = {"names": getattr(record, "names", ())} if isinstance(record, Labels | Value) else {}
    for name in ("scores", "numbers", "low", "high") if columns else ():
        column = getattr(record, name, None)
        if column is not None and column.shape != (len(columns["names"]),):
            raise InputError(
                "label", f"{len(columns['names'])} names but {name} of shape {column.shape}; give one a name."
            )
    return record


def _empty_type(value: Any) -> np.dtype:
    return value.dtype if isinstance(value, np.ndarray) else np.dtype("U1")
