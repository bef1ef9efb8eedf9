"""The samples of a table: each is made from the rows of its picture when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects, Text, Value
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.sample import Sample
from sightline.formats import _meaning, _names, _paths, _rows
from sightline.formats._cells import Sheet
from sightline.formats._labels import column_of
from sightline.formats._meaning import Meaning


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet, what it means, and how its names become files."""

    sheet: Sheet
    told: Meaning
    folder: Path  # in which the names lead to pictures
    suffix: str  # that the names leave out
    split: str | None
    above: str  # what tells its ids from those of other tables
    found: int  # of the rows that were looked at

    def file(self, row: int) -> Path:
        """The picture that a row names."""
        name = self.sheet.columns[self.told.picture][row] + self.suffix
        return _paths.inside(self.folder, name, self.sheet.where(row))


class Samples(Sequence[Sample]):
    """Samples by the rows of their picture, made when they are asked for."""

    def __init__(self, tables: list[Table], folder: Path) -> None:
        self.tables = tables
        self.at: list[tuple[int, int]] = []  # table and first row of each sample
        self.more: dict[tuple[int, int], list[int]] = {}  # further rows of it
        for number, table in enumerate(tables):
            self._group(number, table)
        self._same_ids()
        used = {name for table in tables for name in _rows.names_used(table.sheet, table.told)}
        self.kind = _rows.kind_of(tables[0].told)
        files = {table.sheet.file for table in tables}
        self.names = _names.read(folder, used, files) if self.kind in (Labels, Objects) else tuple(sorted(used))

    def _group(self, number: int, table: Table) -> None:
        first: dict[str, int] = {}
        for row, name in enumerate(table.sheet.columns[table.told.picture]):
            if not name:
                raise InputError("label", f"{table.sheet.where(row)}: no picture is named.")
            begun = first.setdefault(name, row)
            if begun == row:
                self.at.append((number, row))
            elif table.told.box:
                self.more.setdefault((number, begun), []).append(row)
            else:
                earlier = table.sheet.lines[begun]
                raise InputError(
                    "label", f"{table.sheet.where(row)}: '{name[:80]}' was in line {earlier}; give a picture one row."
                )

    def _same_ids(self) -> None:
        seen: dict[str, str] = {}
        for number, row in self.at:
            table = self.tables[number]
            if table.told.id is not None:
                identity = table.sheet.columns[table.told.id][row]
                where = table.sheet.where(row)
                if not identity or identity in seen:
                    raise InputError("label", f"{where}: the id '{identity[:80]}' {_again(seen.get(identity))}.")
                seen[identity] = where

    def __len__(self) -> int:
        return len(self.at)

    def column(self, field: str) -> Sequence[Any]:
        """One field of every sample, out of the cells alone."""
        if field == "split":
            return [self._split(*place) for place in self.at]
        if field == "group":
            return [self._group_of(*place) for place in self.at]
        if field == "id":
            return [self._id(*place) for place in self.at]
        return column_of(self, field)

    def _split(self, number: int, row: int) -> str | None:
        table = self.tables[number]
        return table.split if table.told.split is None else _side(table.sheet.columns[table.told.split][row])

    def _group_of(self, number: int, row: int) -> str | None:
        table = self.tables[number]
        return None if table.told.group is None else table.sheet.columns[table.told.group][row] or None

    def _id(self, number: int, row: int) -> str:
        table = self.tables[number]
        if table.told.id is not None:
            return table.sheet.columns[table.told.id][row]
        name = _paths.below(table.folder, table.sheet.columns[table.told.picture][row])
        return f"{table.above}/{name}" if len(self.tables) > 1 else name

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        number, row = self.at[index]
        table = self.tables[number]
        sheet = table.sheet
        rows = [row, *self.more.get((number, row), ())]
        cells = [column[row] for column in sheet.columns]
        return Sample(
            self._id(number, row),
            (FileImage(table.file(row)),),
            _truth(table, rows, cells, self.names),
            group=self._group_of(number, row),
            split=self._split(number, row),
            attributes=_attributes(table, rows, cells),
        )


def _again(where: str | None) -> str:
    return f"was used in {where}" if where else "is empty"


def _side(cell: str) -> str | None:
    return _meaning.SIDES[cell.lower()] if cell else None


def _attributes(table: Table, rows: list[int], cells: list[str]) -> dict[str, Any]:
    sheet, told = table.sheet, table.told
    found: dict[str, Any] = {}
    for name, place in told.attributes.items():
        column = sheet.columns[place]
        if cells[place] and all(column[row] == cells[place] for row in rows):
            found[name] = _meaning.number_of(cells[place]) if place in told.numeric else cells[place]
    if told.json is not None:
        found |= _meaning.json_of(cells[told.json], sheet.where(rows[0]))
    return found


def _truth(table: Table, rows: list[int], cells: list[str], names: tuple[str, ...]) -> Annotation | None:
    told = table.told
    if told.box:
        return _objects(table, rows, names)
    if told.labels is not None:
        cell = cells[told.labels]
        return Labels(_meaning.parts(cell, told.separator) if cell else ())
    if told.label is not None:
        return Labels((cells[told.label],)) if cells[told.label] else None
    if told.values:
        if not any(cells[place] for place in told.values.values()):
            return None
        columns = {"": told.values}
        columns |= {
            side: {name: told.bounds[f"{side}:{name}"] for name in told.values if f"{side}:{name}" in told.bounds}
            for side in ("low", "high")
        }
        numbers = {
            side: np.array([float(cells[of[name]] or "nan") if name in of else np.nan for name in told.values])
            for side, of in columns.items()
            if of
        }
        return Value(tuple(told.values), numbers[""], numbers.get("low"), numbers.get("high"))
    if told.marks:
        marks = {name: _meaning.is_marked(cells[place]) for name, place in told.marks.items()}
        held = [name for name, mark in marks.items() if mark]
        unknown = [name for name, mark in marks.items() if mark is None]
        scores = np.array([1.0] * len(held) + [np.nan] * len(unknown), np.float32) if unknown else None
        return Labels((*held, *unknown), scores) if len(unknown) < len(marks) else None
    return Text(cells[told.text]) if told.text is not None and cells[told.text] else None


def _objects(table: Table, rows: list[int], names: tuple[str, ...]) -> Objects:
    """One row a box; a row without numbers says that the picture was looked at and holds none."""
    sheet, told = table.sheet, table.told
    full = [row for row in rows if sheet.columns[told.box[0]][row]]
    try:
        numbers = [[float(sheet.columns[place][row]) for place in told.box] for row in full]
    except ValueError as error:
        raise InputError("label", f"{sheet.where(rows[0])}: a box with an empty corner.") from error
    boxes = np.array(numbers, np.float64).reshape(-1, 4)
    if told.sized:
        boxes[:, 2:] += boxes[:, :2]
    known = {name: place for place, name in enumerate(names)}
    label = sheet.columns[told.label] if told.label is not None else None
    if label is not None:
        unnamed = [row for row in full if not label[row]]
        if unnamed:
            raise InputError("label", f"{sheet.where(unnamed[0])}: a box without a name.")
    classes = [0 if label is None else known[label[row]] for row in full]
    return Objects(boxes.astype(np.float32), np.array(classes, np.int64), names)
