"""A table of pictures: one column names the picture, others its label, boxes, numbers, text, group and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Objects, Text, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES, FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _cells, _meaning, _names, _paths, _rows, _walk, _writing
from sightline.formats._cells import Sheet, read_sheet
from sightline.formats._labels import column_of
from sightline.formats._meaning import Meaning, meaning_of

LAYOUT = "photos/labels.csv with a header like file,label or file,x0,y0,x1,y1,label, and the pictures that it names"
_LOOKED = 20  # rows and tables that a look reads


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet, what it means, and how its names become files."""

    sheet: Sheet
    told: Meaning
    folder: str  # between the table and the pictures it names
    suffix: str  # that the names leave out
    split: str | None
    found: int  # of the rows that were looked at

    def file(self, row: int) -> Path:
        name = self.sheet.columns[self.told.picture][row] + self.suffix
        return _paths.inside(self.sheet.file.parent / self.folder, name, self.sheet.where(row))


def sniff(path: Path) -> Fit:
    """Natural where one table, or one a split, names pictures that are there."""
    if path.is_file() and path.suffix.lower() not in _cells.SUFFIX:
        return Fit(0, f"'{path.suffix}' is no suffix of a table")
    if not path.exists():
        return Fit(0, "no table")
    files = _tables(path)
    tried = {file: _tried(file, split) for file, split in files[:_LOOKED]}
    seen = {file: table for file, table in tried.items() if isinstance(table, _Table)}
    broken = next((error for error in tried.values() if isinstance(error, InputError)), None)
    good = [file for file, table in seen.items() if table.found]
    chosen = _chosen(good)
    if len(chosen) == 1 or (chosen and len(chosen) == len(good)):
        return Fit(2, f"{', '.join(file.name for file in chosen)} names pictures that are there")
    if good:
        return Fit(1, f"several tables name pictures: {', '.join(file.name for file in good[:5])}; name one of them")
    if seen:
        file, table = next(iter(seen.items()))
        name = next(iter(table.sheet.columns[table.told.picture]), "")
        outside = "" if not name or _paths.is_inside(file.parent, name) else ", outside its folder"
        return Fit(1, f"{file.name} names pictures that are not there{outside}, such as '{name[:80]}'")
    return Fit(0, "no table that names pictures") if broken is None else Fit(1, broken.message)


def read(path: Path) -> Dataset:
    """The rows of the table; several rows of one picture are its boxes."""
    files = dict(_tables(path))
    if path.is_dir():
        tried = {file: _tried(file, split) for file, split in files.items()}
        good = [file for file, table in tried.items() if isinstance(table, _Table) and table.found]
        chosen = _chosen(good) or [file for file, table in tried.items() if table is not None]
    else:
        chosen = list(files)
    if not chosen or (len(chosen) > 1 and len({files[file] for file in chosen}) < len(chosen)):
        found = ", ".join(file.name for file in chosen[:5]) or "none"
        raise InputError("label", f"{path}: wanted is one table that names pictures; found {found}. Wanted: {LAYOUT}.")
    tables = [table for file in chosen if (table := _opened(file, files[file])) is not None]
    if not tables:
        raise InputError("label", f"{chosen[0]}: no column names pictures. Wanted: {LAYOUT}.")
    samples = _Samples(tables, path if path.is_dir() else path.parent)
    return Dataset(samples, name=chosen[0].resolve().parent.name, names=samples.names, kind=samples.kind)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`labels.csv` and the pictures under `files`; a picture with boxes has a row a box."""
    lost = _writing.strict(lost, "csv")
    _writing.without_details(data, lost)
    taken: set[str] = set()
    with _writing.appearing(path) as folder:
        rows = _rows.Rows(data, lost)
        for sample in data:
            if not _writing.holds(sample, lost, "given"):
                continue
            encoded = sample.image.encoded()
            place = _writing.place_of(sample, _writing.suffix_of(encoded, sample.image), taken, "files")
            if rows.add(sample, place):
                _writing.store(folder / place, encoded)
        _writing.refuse_nothing(len(rows), data, lost)
        _writing.store(folder / "labels.csv", rows.text().encode("utf-8"))
        _names.write(folder, rows.names)
    return path


def _tables(path: Path) -> list[tuple[Path, str | None]]:
    """The tables in a folder with the split that their names tell, or the one file."""
    if path.is_dir():
        files = [path / name for name in _walk.look(path).others if name.lower().endswith(_cells.SUFFIX)]
    else:
        files = [path]
    return [(file, _meaning.SIDES.get(file.stem.lower())) for file in files]


def _chosen(files: list[Path]) -> list[Path]:
    """The one table, the one called labels, or those called as splits."""
    sides = [file for file in files if file.stem.lower() in _meaning.SIDES]
    called = [file for file in files if file.stem.lower() == "labels"]
    return sides if sides and len(sides) == len(files) else called if len(called) == 1 else files


def _tried(file: Path, split: str | None) -> _Table | InputError | None:
    """The table as its first rows show it, what is wrong with it, or None where it names no pictures."""
    try:
        return _opened(file, split, _LOOKED)
    except InputError as error:
        return error


def _opened(file: Path, split: str | None, most: int | None = None) -> _Table | None:
    sheet = read_sheet(file, most)
    told = meaning_of(sheet)
    if told is None:
        return None
    names = [name for name in sheet.columns[told.picture][:_LOOKED] if name and "\0" not in name]
    folder, suffix, found = _prefix(file.parent, names, str(file))
    return _Table(sheet, told, folder, suffix, None if told.split is not None else split, found)


def _prefix(folder: Path, names: list[str], where: str) -> tuple[str, str, int]:
    """Where the names lead to files: as they are, in one of the folders beside, or with a suffix; how many do."""
    best = ("", "", 0)
    inside = [name for name in names if _paths.is_inside(folder, name)]
    bare = [name for name in inside if not name.lower().endswith(SUFFIXES)]
    endings = ("", *(ending for suffix in SUFFIXES for ending in (suffix, suffix.upper()))) if bare else ("",)
    for between in ("", *_walk.look(folder).folders[:50]):
        for ending in endings:
            found = sum(_paths.inside(folder / between, name + ending, where).is_file() for name in inside)
            if found > best[2]:
                best = (between, ending, found)
            if found == len(names):
                return best
    return best


class _Samples(Sequence[Sample]):
    """Samples by the rows of their picture, made when they are asked for."""

    def __init__(self, tables: list[_Table], folder: Path) -> None:
        self.tables = tables
        self.at: list[tuple[int, int]] = []  # table and first row of each sample
        self.more: dict[tuple[int, int], list[int]] = {}  # further rows of it
        for number, table in enumerate(tables):
            self._group(number, table)
        self._same_ids()
        used = {name for table in tables for name in _rows.names_used(table.sheet, table.told)}
        self.kind = _rows.kind_of(tables[0].told)
        self.names = _names.read(folder, used) if self.kind in (Labels, Objects) else tuple(sorted(used))

    def _group(self, number: int, table: _Table) -> None:
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
        name = _paths.below(table.sheet.file.parent / table.folder, table.sheet.columns[table.told.picture][row])
        return f"{table.sheet.file.stem}/{name}" if len(self.tables) > 1 else name

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


def _attributes(table: _Table, rows: list[int], cells: list[str]) -> dict[str, Any]:
    sheet, told = table.sheet, table.told
    found: dict[str, Any] = {}
    for name, place in told.attributes.items():
        column = sheet.columns[place]
        if cells[place] and all(column[row] == cells[place] for row in rows):
            found[name] = _meaning.number_of(cells[place]) if place in told.numeric else cells[place]
    if told.json is not None:
        found |= _meaning.json_of(cells[told.json], sheet.where(rows[0]))
    return found


def _truth(table: _Table, rows: list[int], cells: list[str], names: tuple[str, ...]) -> Annotation | None:
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


def _objects(table: _Table, rows: list[int], names: tuple[str, ...]) -> Objects:
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
