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

from sightline.core import geometry
from sightline.core.columns import from_plain, to_plain
from sightline.core.errors import InputError, nearest


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Base of the records."""

    tolerance: ClassVar[float] = 0.0  # the largest `gap` between two runtimes that still counts as equal

    def gap(self, other: Any) -> float:
        """How far two answers are apart, in the unit that the record's `tolerance` is stated in."""
        raise NotImplementedError(type(self).__name__)


def _apart(first: np.ndarray, second: np.ndarray, scale: Any = 1.0) -> float:
    """The largest difference; a NaN on one side alone is infinitely far, so that it cannot hide behind a number."""
    if first.shape != second.shape:
        return float("inf")
    a, b = first.astype(np.float64), second.astype(np.float64)
    with np.errstate(invalid="ignore"):
        far = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b) / scale)
    return float(np.where(np.isnan(far), np.inf, far).max(initial=0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Labels(Annotation):
    """Names with scores, one or many a picture; without scores every name holds."""

    names: tuple[str, ...]
    scores: np.ndarray | None = None
    tolerance: ClassVar[float] = 1e-3

    @property
    def best(self) -> str:
        """The name with the highest score (the first name where there are no scores)."""
        if not self.names:
            return ""
        return self.names[0 if self.scores is None else int(np.argmax(self.scores))]

    def score(self, name: str) -> float:
        if name not in self.names:
            return 0.0
        return 1.0 if self.scores is None else float(self.scores[self.names.index(name)])

    def gap(self, other: Labels) -> float:
        names = sorted({*self.names, *other.names})
        return _apart(np.array([self.score(name) for name in names]), np.array([other.score(name) for name in names]))


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
        return _apart(self.numbers, other.numbers, np.maximum(np.abs(self.numbers), np.abs(other.numbers)).clip(1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Objects(Annotation):
    """Things with a place: one row a thing in every column that is present."""

    boxes: np.ndarray  # (n, 4) x0 y0 x1 y1, or (n, 5) centre x, centre y, width, height, angle in radians
    classes: np.ndarray  # (n,) index into names
    names: tuple[str, ...]
    scores: np.ndarray | None = None  # (n,) 0..1
    masks: np.ndarray | None = None  # (n, rows, columns) bool
    keypoints: np.ndarray | None = None  # (n, k, 3) x, y, visibility (0 absent, 1 hidden, 2 seen)
    tracks: np.ndarray | None = None  # (n,) identity over time
    texts: tuple[str, ...] | None = None
    mirror: tuple[int, ...] | None = None  # the left-right twin of each keypoint
    tolerance: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        count = len(self.boxes)
        for name in ("classes", "scores", "masks", "keypoints", "tracks", "texts"):
            column = getattr(self, name)
            if column is not None and len(column) != count:
                raise InputError("label", f"Objects holds {count} boxes but {len(column)} {name}; give one row a box.")
        if self.boxes.ndim != 2 or self.boxes.shape[1] not in (4, 5):
            raise InputError("label", f"boxes must be (n, 4) or (n, 5), not {self.boxes.shape}.")

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: Any) -> Objects:
        """The same columns with these rows (indices or a boolean mask)."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        taken: dict[str, Any] = {}
        for name in ("boxes", "classes", "scores", "masks", "keypoints", "tracks"):
            column = getattr(self, name)
            taken[name] = None if column is None else column[rows]
        texts = None if self.texts is None else tuple(self.texts[row] for row in rows)
        return dataclasses.replace(self, **taken, texts=texts)

    def gap(self, other: Objects) -> float:
        """Pixels between twins; a thing without a twin counts its size by its squared score, so doubt counts little."""
        mine, twins = geometry.match(self._grown(), self.classes, other._grown(), other.classes, 0.5)
        worst = _apart(self.boxes[mine], other.boxes[twins])
        for record, matched in ((self, mine), (other, twins)):
            alone = record.take(np.setdiff1d(np.arange(len(record)), matched))
            weight = np.ones(len(alone)) if alone.scores is None else alone.scores**2
            outline = alone._outline()
            diagonal = np.hypot(outline[:, 2] - outline[:, 0], outline[:, 3] - outline[:, 1])
            worst = max(worst, float((diagonal * weight).max(initial=0.0)))
        if self.scores is not None and other.scores is not None:
            worst = max(worst, 100 * _apart(self.scores[mine], other.scores[twins]))
        if self.keypoints is not None and other.keypoints is not None:
            worst = max(worst, _apart(self.keypoints[mine], other.keypoints[twins]))
        return worst

    def _grown(self) -> np.ndarray:
        """Outlines half a pixel larger, so that a box without an inside is at least its own twin."""
        outline = self._outline()
        low, high = np.minimum(outline[:, :2], outline[:, 2:]), np.maximum(outline[:, :2], outline[:, 2:])
        return np.concatenate([low - 0.5, high + 0.5], 1)

    def _outline(self) -> np.ndarray:
        return self.boxes if self.boxes.shape[1] == 4 else geometry.upright(self.boxes)


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
        return max(_apart(self.scores, other.scores), _apart(np.array(self.score), np.array(other.score)))


@dataclass(frozen=True, slots=True, eq=False)
class Picture(Annotation):
    """Pixels of any depth, channels last."""

    pixels: np.ndarray
    tolerance: ClassVar[float] = 1 / 255 + 1e-6  # one grey level of eight bits, after rounding

    def gap(self, other: Picture) -> float:
        if self.pixels.shape != other.pixels.shape or self.pixels.dtype != other.pixels.dtype:
            return float("inf")
        return _apart(self.pixels, other.pixels) / (
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


def to_columns(record: Annotation) -> dict[str, np.ndarray]:
    """A record as named arrays (strings as unicode arrays), so that it can be stored without code."""
    columns = {"kind": np.array(type(record).__name__.lower())}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if value is not None:
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
        if kind.startswith("tuple"):
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
        if fields[name].startswith("np.ndarray"):
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
