"""Records of JSON as the cells of a table: what is a list or an object inside of one finds its column too."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES
from sightline.formats import _json, _lines, _meaning, _paths, _walk
from sightline.formats._cells import LARGEST, Sheet

SUFFIX = (".jsonl", ".ndjson", ".json")
_LINES = SUFFIX[:2]
_OURS = ("samples.jsonl", *_walk.MADE)
_SAMPLE = {"sightline", "images", "truth"}  # keys of samples of ours, whatever their file is called
_LONGEST = 2**24  # bytes of one record
_LOOKED = 2**16  # bytes that tell whether a file may hold records
_BOXES = "objects"  # a key with boxes in columns, as Hugging Face writes them: corner and size, and a name each
_CORNERS = _meaning.SIZES[0]
_THINGS = ("annotations", "regions", "shapes", "instances")  # objects in forms of which there are many
_NAME = "category"


def may_be(file: Path) -> bool:
    """Whether the first record of a file says what picture it is about; nothing more of the file is read."""
    if file.name in _OURS:
        return False
    try:
        with file.open("rb") as opened:
            start = opened.read(_LOOKED).decode("utf-8-sig", "replace").lstrip()
    except OSError:
        return False
    if file.suffix.lower() in _LINES:
        return start.startswith("{") and not _SAMPLE & set(_first(start) or ())
    if start.startswith("{"):
        name, colon, _ = start[1:].lstrip().partition(":")
        return bool(colon) and name.strip().strip('"').lower().endswith(SUFFIXES)
    first = _first(start[1:].lstrip()) if start.startswith("[") else None
    return first is not None and any(
        isinstance(value, str) and key.lower() in _meaning.PICTURE for key, value in first.items()
    )


def _first(text: str) -> dict[str, Any] | None:
    """The object that a text begins with, where all of it is there."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_sheet(file: Path, most: int | None = None) -> Sheet:
    """All records, or the first `most`; a key that a record lacks is an empty cell."""
    _paths.size_within(file, LARGEST)
    is_lines = file.suffix.lower() in _LINES
    word = "line" if is_lines else "record"
    columns: dict[str, list[str]] = {}
    lines: list[int] = []
    words: dict[str, str] = {}
    for number, record in islice(_by_line(file) if is_lines else _whole(file), most):
        for cells in _rows_of(record, f"{file} {word} {number}"):
            columns |= {key: [""] * len(lines) for key in cells if key not in columns}
            for key, column in columns.items():
                cell = cells.get(key, "")
                column.append(words.setdefault(cell, cell) if len(words) < 10_000 else words.get(cell, cell))
            lines.append(number)
    if not lines:
        raise InputError("label", f"{file}: no records in it.")
    header = {key.strip().lower(): key for key in columns}
    if len(header) < len(columns):
        twice = next(key for key in columns if header[key.strip().lower()] != key)
        raise InputError("label", f"{file}: two keys are called '{twice[:40]}'.")
    return Sheet(file, [key.strip() for key in columns], list(columns.values()), lines, word)


def _by_line(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for places, records in _lines.parsed(file, _LONGEST, _object):
        yield from ((place[0], record) for place, record in zip(places, records, strict=True))


def _whole(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The records of a list, or of an object in which names of pictures stand before what is said of them."""
    found = _json.parse(_paths.whole(file, LARGEST), str(file))
    if isinstance(found, dict):
        found = [_of_picture(name, told) for name, told in found.items()]
    for number, record in enumerate(_json.rows(found, "what it holds", str(file)), 1):
        yield number, _json.table(record, "a record", f"{file} record {number}")


def _of_picture(name: str, told: Any) -> dict[str, Any]:
    if isinstance(told, dict):
        return {**told, "file": name}
    return {"file": name, "labels" if isinstance(told, list) else "label": told}


def _object(line: bytes, where: str) -> dict[str, Any]:
    found = _json.parse(line, where)
    return dict(_json.table(found, "a record", where))


def _rows_of(record: Mapping[str, Any], where: str) -> Iterable[dict[str, str]]:
    """The rows that a record stands for: one a box, else one."""
    plain = dict(record)
    boxes = plain.pop(_BOXES, None)
    cells: dict[str, str] = {}
    for key, value in plain.items():
        if value and key.lower() in (*_meaning.BOXES, *(_THINGS if isinstance(value, list | dict) else ())):
            told = f'"{_BOXES}": {{"bbox": [[x, y, width, height]], "{_NAME}": ["good"]}}'
            raise InputError("label", f"{where}: '{key}' may be meant in several ways and is not read. Write {told}.")
        is_names = isinstance(value, list) and all(isinstance(name, str | int) for name in value)
        is_label = key.lower() in (*_meaning.LABEL, *_meaning.LABELS)
        cells["labels" if is_names and is_label else key] = _cell(key, value, is_names and is_label, where)
    return [cells] if boxes is None else _boxes_of(cells, boxes, where)


def _cell(key: str, value: Any, is_names: bool, where: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value
    if is_names:
        names = [str(name) for name in value]
        if not all(names) or any("|" in name for name in names):
            raise InputError("label", f"{where}: a name under '{key[:40]}' is empty or holds the mark |.")
        return "|".join(names) + "|" * bool(names)
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, int | float) else json.dumps(value)


def _boxes_of(cells: dict[str, str], boxes: Any, where: str) -> Iterable[dict[str, str]]:
    """A row a box, or one with empty corners where there is none."""
    told = _json.table(boxes, f"'{_BOXES}'", where)
    corners = _json.rows(told.get("bbox"), f"'bbox' of '{_BOXES}'", where)
    numbers = _json.numbers(list(chain.from_iterable(map(_four(where), corners))), "'bbox'", where, each=4).tolist()
    key = next((key for key in (_NAME, "categories", *_meaning.LABEL, *_meaning.LABELS) if key in told), None)
    names = ["object"] * len(numbers) if key is None else _json.rows(told[key], f"'{key}'", where)
    if len(names) != len(numbers):
        raise InputError("label", f"{where}: {len(numbers)} boxes and {len(names)} names under '{key}'.")
    taken = next((key for key in cells if key.lower() in (*_meaning.LABEL, *_CORNERS)), None)
    if taken is not None:
        raise InputError("label", f"{where}: '{taken}' beside '{_BOXES}'; the names of boxes stand in '{_BOXES}'.")
    rows = [
        {**cells, **dict(zip(_CORNERS, map(repr, box), strict=True)), _NAME: str(name)}
        for box, name in zip(numbers, names, strict=True)
    ]
    return rows or [{**cells, **dict.fromkeys((*_CORNERS, _NAME), "")}]


def _four(where: str) -> Any:
    def row(box: Any) -> list[Any]:
        found = _json.rows(box, "a box", where)
        if len(found) != 4:
            raise InputError("label", f"{where}: a box has four numbers, not {len(found)}.")
        return found

    return row
