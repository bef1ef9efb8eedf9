"""Parquet tables by row: what is light is kept by row group, pictures are taken out one at a time."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from sightline.core import extras
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.files import naming
from sightline.core.image import LARGEST_FILE, Encoded
from sightline.formats import _paths, _plain

LARGEST_GROUP = 2**31  # bytes of one row group, unpacked
COUNT = "pictures"  # of a row, in tables of ours
_PICTURE = ("image", "img", "picture", "photo", "jpg", "png", "images")
_KEPT_LIGHT, _KEPT_HEAVY = 64, 2  # row groups
_EACH, _HEAVY = 1000, 64 * 2**20  # rows and bytes of a row group that is written


class Table:
    """One file: its columns, and its rows by row group."""

    def __init__(self, file: Path) -> None:
        self.file = file
        arrow, parquet = extras.need("pyarrow"), extras.need("pyarrow.parquet")
        _paths.size_within(file, 2**42)
        self.lock = threading.Lock()
        try:
            self.opened = parquet.ParquetFile(file)
            self.schema = self.opened.schema_arrow
            told = self.opened.metadata
            groups = [told.row_group(number) for number in range(told.num_row_groups)]
        except (arrow.ArrowException, OSError) as error:
            raise InputError("corrupt", f"{file}: not a readable parquet file ({str(error)[:100]}).") from error
        self.ends = np.cumsum([group.num_rows for group in groups]).tolist()
        for number, group in enumerate(groups):
            if group.total_byte_size > LARGEST_GROUP:
                size = f"{group.total_byte_size:,} bytes"
                raise InputError("too_large", f"{file}: row group {number} holds {size}; write smaller row groups.")
        self.ours = b"sightline" in (self.schema.metadata or {})
        self.columns: list[str] = list(self.schema.names)
        self.picture = next((word for word in _PICTURE if word in self.columns and self._holds(word)), None)
        self.more = "more" if "more" in self.columns and self._holds("more") else None
        heavy = {self.picture, self.more}
        self.light = [name for name in self.columns if name not in heavy]
        self.kept: dict[str, OrderedDict[int, Any]] = {"light": OrderedDict(), "heavy": OrderedDict()}

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.ends else 0

    def _holds(self, name: str) -> bool:
        """Whether a column holds pictures: bytes, or a struct with bytes and a path, or lists of them."""
        types = extras.need("pyarrow.types")
        kind = self.schema.field(name).type
        if types.is_list(kind) or types.is_large_list(kind):
            kind = kind.value_type
        if types.is_struct(kind):
            kind = next(
                (kind.field(place).type for place in range(kind.num_fields) if kind.field(place).name == "bytes"), None
            )
        return kind is not None and (types.is_binary(kind) or types.is_large_binary(kind))

    def whole(self) -> dict[str, Any]:
        """The words for a `Dataset` that stand in the table."""
        told = (self.schema.metadata or {}).get(b"sightline")
        return _plain.whole_of(_plain.load(told, str(self.file)), str(self.file)) if told else {}

    def class_names(self, *path: str) -> tuple[str, ...] | None:
        """The names of a column of class numbers, as Hugging Face notes them."""
        told = (self.schema.metadata or {}).get(b"huggingface")
        found: Any = _plain.load(told, str(self.file)) if told else None
        for word in ("info", "features", *path):
            found = found.get(word) if isinstance(found, dict) else found
            found = found[0] if isinstance(found, list) and found else found
            if isinstance(found, dict) and isinstance(found.get("feature"), dict):
                found = found["feature"]
        names = found.get("names") if isinstance(found, dict) else None
        names = names.get("names") if isinstance(names, dict) else names
        good = isinstance(names, list) and all(isinstance(name, str) for name in names)
        return tuple(names) if good else None  # type: ignore[arg-type]

    def _group(self, row: int) -> tuple[int, int]:
        number = int(np.searchsorted(self.ends, row, "right"))
        return number, row - (self.ends[number - 1] if number else 0)

    def _read(self, number: int, which: str) -> Any:
        """The light columns as lists, or the pictures as they lie in the table."""
        most = _KEPT_LIGHT if which == "light" else _KEPT_HEAVY
        with self.lock:
            kept = self.kept[which]
            if number not in kept:
                columns = self.light if which == "light" else [name for name in (self.picture, self.more) if name]
                try:
                    table = self.opened.read_row_group(number, columns=columns)
                    kept[number] = table.to_pydict() if which == "light" else table
                except (extras.need("pyarrow").ArrowException, OSError) as error:
                    raise InputError("corrupt", f"{self.file}: row group {number} ({str(error)[:100]}).") from error
                while len(kept) > most:
                    kept.popitem(last=False)
            kept.move_to_end(number)
            return kept[number]

    def row(self, row: int) -> dict[str, Any]:
        """All but the pictures of one row."""
        number, place = self._group(row)
        columns = self._read(number, "light")
        return {name: columns[name][place] for name in self.light}

    def pictures(self, row: int, count: int | None) -> list[tuple[str, int]]:
        """Column and place of each picture of a row; `count` is what the table itself says of them."""
        if self.picture is None:
            return []
        if count is not None:
            return [(self.picture, 0), *((self.more or "", place) for place in range(count - 1))][:count]
        if not extras.need("pyarrow.types").is_list(self.schema.field(self.picture).type):
            return [(self.picture, 0)]
        number, inner = self._group(row)
        cell = self._read(number, "heavy").column(self.picture)[inner]
        return [(self.picture, place) for place in range(len(cell) if cell.is_valid else 0)]

    def cell(self, row: int, column: str, place: int) -> Any:
        """The bytes of a picture, or the path that stands in their stead."""
        number, inner = self._group(row)
        value = self._read(number, "heavy").column(column)[inner].as_py()
        value = value[place] if isinstance(value, list) else value
        if isinstance(value, dict):
            return value["bytes"] if value.get("bytes") is not None else value.get("path")
        return value


@dataclass(frozen=True, slots=True, eq=False)
class CellImage(Encoded):
    """A picture in a cell of a table."""

    table: Table
    row: int
    column: str
    place: int
    name: str

    def encoded(self) -> bytes:
        value = self.table.cell(self.row, self.column, self.place)
        if isinstance(value, str):
            return _paths.whole(_paths.inside(self.table.file.parent, value, self.name), LARGEST_FILE)
        if value is None:
            raise InputError("missing", f"{self.name}: the cell '{self.column}' is empty.")
        if len(value) > LARGEST_FILE:
            raise InputError("too_large", f"{self.name}: more than {LARGEST_FILE:,} bytes.")
        return bytes(value)


def schema(arrow: Any, data: Dataset, *, single: bool, words: bool) -> Any:
    """Columns and the notes by which Hugging Face and we know what they mean."""
    picture = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    text = arrow.string()
    truth = ("label", arrow.int64()) if single else ("text", text) if words else ("truth", text)
    fields = [
        ("image", picture),
        ("more", arrow.list_(picture)),
        (COUNT, arrow.int64()),
        truth,
        ("id", text),
        ("group", text),
    ]
    fields += [("given", text), ("attributes", text)]
    features: dict[str, Any] = {name: {"dtype": "string", "_type": "Value"} for name, kind in fields if kind == text}
    features[COUNT] = {"dtype": "int64", "_type": "Value"}
    features["image"] = {"_type": "Image"}
    features["more"] = {"feature": {"_type": "Image"}, "_type": "Sequence"}
    if single:
        features["label"] = {"names": list(data.names), "_type": "ClassLabel"}
    notes = {"huggingface": json.dumps({"info": {"features": {name: features[name] for name, _ in fields}}})}
    notes["sightline"] = json.dumps(_plain.whole(data))
    assert not single or data.kind is Labels
    return arrow.schema(fields, metadata=notes)


class Writers:
    """One file a split, in row groups of bounded size."""

    def __init__(self, folder: Path, schema: Any, arrow: Any, parquet: Any) -> None:
        self.folder, self.schema, self.arrow, self.parquet = folder, schema, arrow, parquet
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.weight: dict[str, int] = {}
        self.open: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def add(self, split: str | None, row: dict[str, Any]) -> None:
        """One row, into the file of its split."""
        side = split or "all"
        self.rows.setdefault(side, []).append(row)
        size = sum(len(picture["bytes"]) for picture in [row["image"], *(row["more"] or ())] if picture)
        self.weight[side] = self.weight.get(side, 0) + size
        if len(self.rows[side]) >= _EACH or self.weight[side] >= _HEAVY:
            self._flush(side)

    def _file(self, side: str) -> Path:
        return self.folder / f"{side}-00000-of-00001.parquet"

    def _flush(self, side: str) -> None:
        with naming(self._file(side), self.weight[side]):
            if side not in self.open:
                self.open[side] = self.parquet.ParquetWriter(self._file(side), self.schema)
            self.open[side].write_table(self.arrow.Table.from_pylist(self.rows[side], schema=self.schema))
        self.rows[side], self.weight[side] = [], 0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            for side, rows in self.rows.items():
                if rows:
                    self._flush(side)
        for side, writer in self.open.items():
            with naming(self._file(side), 0):
                writer.close()
                if kind is None:
                    with self._file(side).open("rb") as file:
                        os.fsync(file.fileno())
