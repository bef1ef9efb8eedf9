"""Records of pictures in JSON, one a line or in a list: the keys mean what the headers of a table mean."""

from __future__ import annotations

import json
from pathlib import Path

from sightline.core.dataset import Dataset
from sightline.core.lost import Lost
from sightline.core.task import Fit
from sightline.formats import _meaning, _record_cells, _rows, _tables, _writing

LAYOUT = 'photos/metadata.jsonl with lines like {"file_name": "1.jpg", "label": "good"}, and the pictures that it names'
_FORM = _tables.Form(LAYOUT, _record_cells.SUFFIX, _record_cells.read_sheet, _record_cells.may_be)
_WORDS = ("file", "id", "group", "split", "label", "class", "text")


def sniff(path: Path) -> Fit:
    """Natural where one file of records, or one a side, names pictures that are there."""
    if path.is_file() and path.suffix.lower() in _record_cells.SUFFIX and not _record_cells.may_be(path):
        return Fit(0, "no records that name pictures")
    return _tables.sniff(path, _FORM)


def read(path: Path) -> Dataset:
    """The records of a file; several of one picture are its boxes."""
    return _tables.read(path, _FORM)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`metadata.jsonl` and the pictures under `files`; a picture with boxes has a record a box."""
    return _rows.write(data, path, _writing.strict(lost, "records"), "metadata.jsonl", _text)


def _text(header: list[str], rows: list[list[str]]) -> str:
    names = ["file_name" if name == "file" else name for name in header]
    return "".join(
        json.dumps({name: _value(name, cell) for name, cell in zip(names, row, strict=True)}) + "\n" for row in rows
    )


def _value(name: str, cell: str) -> object:
    """A cell as JSON has it: nothing, names in a list, an object, a number, or text."""
    if not cell:
        return [] if name == "labels" else None
    if name == "labels":
        return list(_meaning.parts(cell, "|"))
    if name == _meaning.JSON:
        return json.loads(cell)
    if name not in _WORDS and _meaning.are_numbers([cell]) and str(number := _meaning.number_of(cell)) == cell:
        return number
    return cell
