"""From samples to the rows of a table, such that reading them means the same; what would not is dropped and listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects, Text, Value
from sightline.core.dataset import SIDES, Dataset
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _meaning, _names, _writing
from sightline.formats._cells import Sheet
from sightline.formats._meaning import Meaning

_BOX = ("x0", "y0", "x1", "y1")


def kind_of(told: Meaning) -> type[Annotation] | None:
    """The record that a table of this meaning labels its pictures with."""
    if told.box:
        return Objects
    if told.labels is not None or told.label is not None or told.marks:
        return Labels
    return Value if told.values else Text if told.text is not None else None


def names_used(sheet: Sheet, told: Meaning) -> set[str]:
    """The names of classes that a table mentions."""
    if told.box and told.label is None:
        return {"object"}
    if told.labels is not None:
        return {
            name for cell in set(sheet.columns[told.labels]) if cell for name in _meaning.parts(cell, told.separator)
        }
    if told.values:
        return set(told.values)
    if told.label is not None:
        return {cell for cell in set(sheet.columns[told.label]) if cell}
    return set(told.marks)


class Rows:
    """The rows of one table as they come together."""

    def __init__(self, data: Dataset, lost: Lost) -> None:
        self.lost = lost
        self.kind = data.kind
        self.split = _writing.splits_of(data, lost, all_or_none=False)
        self.rows: list[dict[str, Any]] = []
        self.count = 0
        self.used: set[str] = set()
        self.vocabulary = data.names if data.kind in (Labels, Objects) else ()
        self.attributes = _Attributes()
        self.shape: Any = None  # of the first numbers
        self.moved = False  # whether an id differs from the name of its file

    def __len__(self) -> int:
        return self.count

    @property
    def names(self) -> tuple[str, ...]:
        """The vocabulary, where the rows alone would give another."""
        if tuple(sorted(self.used)) == self.vocabulary or not self.used <= set(self.vocabulary):
            return ()
        return self.vocabulary if _names.are_listable(self.vocabulary) else ()

    def add(self, sample: Sample, place: str) -> bool:
        """The rows of one sample; False where nothing of it can be held."""
        row: dict[str, Any] = {"file": place, "id": sample.id}
        self.moved |= sample.id != place
        if sample.group == "":
            self.lost.drop(sample.id, "group without a name")
        row["group"] = sample.group or ""
        row["split"] = (sample.split or "") if self.split and sample.split in SIDES else ""
        row["attributes"] = dict(sample.attributes)
        parts = self._parts(sample)
        self.attributes.see(sample.attributes)
        self.rows += [{**row, "truth": part} for part in parts]
        self.count += 1
        return True

    def _parts(self, sample: Sample) -> list[Any]:
        truth = sample.truth
        if truth is not None and type(truth).__name__ != getattr(self.kind, "__name__", ""):
            self.lost.drop(sample.id, f"{_writing.kind_of(sample)} among labels of another kind")
            return [None]
        if isinstance(truth, Objects):
            return self._boxes(sample, truth)
        if isinstance(truth, Labels):
            return [self._labels(sample, truth)]
        if isinstance(truth, Value):
            return [self._value(sample, truth)]
        if isinstance(truth, Text):
            if truth.confidence is not None:
                self.lost.drop(sample.id, "confidence")
            if not truth.text:
                self.lost.drop(sample.id, "text that is empty")
            return [truth.text or None]
        if truth is not None:
            self.lost.drop(sample.id, _writing.kind_of(sample))
        elif self.kind is Objects:
            self.lost.drop(sample.id, "missing label (it reads as no objects)")
        return [None]

    def _labels(self, sample: Sample, truth: Labels) -> tuple[str, ...]:
        if truth.scores is not None:
            self.lost.drop(sample.id, "scores")
        names = tuple(name for name in truth.names if name and not set(name) & set("|\0"))
        if names != truth.names:
            self.lost.drop(sample.id, "names that are empty or hold the mark |")
        self.used.update(names)
        return names

    def _value(self, sample: Sample, truth: Value) -> Value:
        if truth.numbers.dtype != np.float64:
            self.lost.drop(sample.id, f"type {truth.numbers.dtype} of its numbers")
        shape = (truth.names, truth.low is None, truth.high is None)
        if shape != (self.shape or shape):
            self.lost.drop(sample.id, "set of numbers and bounds that differs from that of other pictures")
        self.shape = self.shape or shape
        low = {name.lower() for name in truth.names}
        if len(low) < len(truth.names) or any(not n or n != n.strip() or set(n) & set("\n\r\0") for n in truth.names):
            self.lost.drop(sample.id, "names of numbers that cannot stand in a header")
        return truth

    def _boxes(self, sample: Sample, truth: Objects) -> list[Any]:
        for part in ("scores", "masks", "outlines", "keypoints", "tracks", "texts", "details", "mirror"):
            if len(truth) and getattr(truth, part) is not None:
                self.lost.drop(sample.id, part)
        boxes, names = truth.boxes, [truth.names[index] for index in truth.classes]
        if boxes.shape[1] == 5:
            self.lost.drop(sample.id, "angles of boxes")
            boxes = truth._outline()
        if boxes.dtype != np.float32:
            self.lost.drop(sample.id, f"type {boxes.dtype} of boxes")
        if truth.names != self.vocabulary:
            self.lost.drop(sample.id, "vocabulary of its own")
        if any(not name or "\0" in name for name in names):
            self.lost.drop(sample.id, "objects without a name")
            return [()]
        self.used.update(names)
        return [(*map(float, box), name) for box, name in zip(boxes, names, strict=True)] or [()]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The header, and the cells of every row."""
        columns = self._truth_columns()
        plain, nested = self.attributes.parted(set(columns), self.kind)
        if not columns and len(plain) == 1:  # alone beside the picture, it would be read as its truth
            plain, nested = [], [*plain, *nested]
        header = ["file", *(["id"] if self.moved else [])]
        header += [name for name in ("group", "split") if any(row[name] for row in self.rows)]
        header += [*columns, *plain, *(["attributes"] if nested else [])]
        table: list[list[str]] = []
        for row in self.rows:
            cells = {**row, **self._cells(row["truth"], columns)}
            cells |= {name: _spelt(row["attributes"].get(name)) for name in plain}
            inner = {name: row["attributes"][name] for name in nested if name in row["attributes"]}
            cells["attributes"] = json.dumps(inner, allow_nan=False) if inner else ""
            table.append([cells.get(name, "") for name in header])
        return header, table

    def _truth_columns(self) -> list[str]:
        truths = [row["truth"] for row in self.rows]
        if self.kind is Objects:
            return [*_BOX, "label"]
        if self.kind is Labels:
            singles = all(part is None or len(part) == 1 for part in truths)
            names = [part[0] for part in truths if part]
            if singles and not _meaning.are_measures(names):
                return ["class" if _meaning.can_be_two(names) else "label"]
            for row in self.rows:
                if row["truth"] is None:
                    self.lost.drop(row["id"], "missing label (it reads as no names)")
            return ["labels"]
        if self.kind is Value:
            names = list(dict.fromkeys(name for part in truths if part is not None for name in part.names))
            sides = [
                side for side in ("low", "high") if any(part and getattr(part, side) is not None for part in truths)
            ]
            return [f"value:{name}" for name in names] + [f"{side}:{name}" for side in sides for name in names]
        return ["text"] if self.kind is Text else []

    def _cells(self, truth: Any, columns: list[str]) -> dict[str, str]:
        if truth is None:
            return {}
        if self.kind is Objects:
            return dict(zip(columns, map(str, truth), strict=False))
        if self.kind is Labels:
            alone = len(truth) == 1 and columns == ["labels"] and set(truth[0]) & set(";,")
            return {columns[0]: "|".join(truth) + "|" * bool(alone)}  # the mark says that no other one parts names
        if isinstance(truth, Value):
            cells: dict[str, str] = {}
            for side, numbers in (("value", truth.numbers), ("low", truth.low), ("high", truth.high)):
                if numbers is not None:
                    cells |= {f"{side}:{name}": repr(float(n)) for name, n in zip(truth.names, numbers, strict=True)}
            return cells
        return {"text": str(truth)}


def write(data: Dataset, path: Path, lost: Lost, name: str, text: Callable[[list[str], list[list[str]]], str]) -> Path:
    """A table of this name and the pictures under `files`; a picture with boxes has a row a box."""
    _writing.without_details(data, lost)
    taken: set[str] = set()
    with _writing.appearing(path) as folder:
        rows = Rows(data, lost)
        for sample in data:
            if not _writing.holds(sample, lost, "given"):
                continue
            encoded = sample.image.encoded()
            place = _writing.place_of(sample, _writing.suffix_of(encoded, sample.image), taken, "files")
            if rows.add(sample, place):
                _writing.store(folder / place, encoded)
        _writing.refuse_nothing(len(rows), data, lost)
        _writing.store(folder / name, text(*rows.table()).encode("utf-8"))
        _names.write(folder, rows.names)
    return path


def _spelt(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


class _Attributes:
    """Which attributes can stand in a column of their own and read back as what they are."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {}  # name -> what stands against a column
        self.cells: dict[str, list[str]] = {}

    def see(self, attributes: Any) -> None:
        for name, value in attributes.items():
            self.seen.setdefault(name, set()).add(type(value).__name__)
            if len(kept := self.cells.setdefault(name, [])) < 10_000 or not isinstance(value, str):
                kept.append(_spelt(value) if isinstance(value, str | int | float) else "")

    def parted(self, taken: set[str], kind: Any) -> tuple[list[str], list[str]]:
        """Names with a column of their own, and names that go into the column of JSON."""
        known = {"file", "id", "group", "split", "attributes", *map(str.lower, taken)}
        words = (_meaning.PICTURE, _meaning.LABEL, _meaning.LABELS, _meaning.TEXT, _meaning.VALUE, _meaning.GROUP)
        known |= {word for group in (*words, _meaning.SPLIT, *_meaning.CORNERS, *_meaning.SIZES) for word in group}
        plain: list[str] = []
        for name, kinds in self.seen.items():
            cells = self.cells[name]
            fits = name == name.strip() and name and not set(name) & set("\n\r\0") and name.lower() not in known
            fits = fits and not name.lower().startswith(("value:", "low:", "high:"))
            number = kinds <= {"int", "float"} and _meaning.are_numbers(cells)
            word = kinds == {"str"} and all(cells) and not _meaning.are_numbers(cells)
            word = word and not any("\r" in cell or "\0" in cell for cell in cells)
            if fits and (number or word) and not _meaning.are_marks(cells):
                plain.append(name)
                known.add(name.lower())
        return plain, [name for name in self.seen if name not in plain]
