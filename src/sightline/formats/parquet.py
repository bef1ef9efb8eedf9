"""Parquet tables as Hugging Face writes them: a column of pictures, columns of labels, read a row group at a time."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import extras
from sightline.core.annotations import Annotation, Labels, Objects, Text
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, MissingExtraError
from sightline.core.image import Image
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _columnar, _plain, _walk, _writing

LAYOUT = "data/train-00000-of-00001.parquet with a column 'image' of struct<bytes, path> and a column 'label'"
_SIDE = re.compile(r"(?:^|[-_.])(train|val|valid|validation|test)(?=[-_.\d]|$)", re.I)
_LABEL, _LABELS = ("label", "labels", "class", "fine_label"), ("labels", "tags")
_TEXT = ("text", "caption")


def sniff(path: Path) -> Fit:
    """Natural where the first table has a column of pictures."""
    files = _files(path)
    if not files:
        return Fit(0, "no .parquet")
    try:
        column = _columnar.Table(files[0]).picture
    except MissingExtraError as error:
        return Fit(1, error.message)
    except InputError as error:
        return Fit(1, error.message)
    if column is None:
        return Fit(1, f"{files[0].name} has no column of pictures")
    return Fit(2, f"{len(files):,} tables with pictures in '{column}'")


def read(path: Path) -> Dataset:
    """Every row; labels are read a row group at a time, pictures when they are asked for."""
    files = _files(path)
    if not files:
        raise InputError("label", f"{path} holds no .parquet. Wanted: {LAYOUT}.")
    tables = [_columnar.Table(file) for file in files]
    lacking = next((table for table in tables if table.picture is None), None)
    if lacking is not None:
        raise InputError("label", f"{lacking.file}: no column of pictures among {', '.join(lacking.columns[:10])}.")
    folder = (path if path.is_dir() else path.parent).resolve()
    name = folder.parent.name if folder.name == "data" else folder.name
    words: dict[str, Any] = {"name": name, **tables[0].whole()}
    samples = _Samples(tables, words.get("names"))
    if words.get("names") is None and samples.label is not None:
        words["names"] = samples.classes
    return Dataset(samples, **words)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`data/train-00000-of-00001.parquet` and so on, one a split, with names that Hugging Face reads."""
    lost = _writing.strict(lost, "parquet")
    arrow, parquet = extras.need("pyarrow"), extras.need("pyarrow.parquet")
    single = data.kind is Labels and all(
        one.truth is None or (len(getattr(one.truth, "names", ())) == 1 and getattr(one.truth, "scores", None) is None)
        for one in data
    )
    words = data.kind is Text and all(getattr(one.truth, "confidence", None) is None for one in data)
    schema = _columnar.schema(arrow, data, single=single, words=words)
    if data.details and not _plain.is_json(data.details):
        lost.drop(data.name, "details that are not plain JSON")
    count = 0
    with _writing.appearing(path) as folder:
        (folder / "data").mkdir()
        with _columnar.Writers(folder / "data", schema, arrow, parquet) as writers:
            for sample in data:
                plain = _plain.to_plain(sample, lost)
                split = plain.pop("split", None)
                row: dict[str, Any] = {
                    "id": sample.id,
                    "group": plain.get("group"),
                    _columnar.COUNT: len(sample.images),
                }
                pictures = [_stored(image) for image in sample.images]
                row["image"], row["more"] = (pictures[0] if pictures else None), pictures[1:] or None
                truth = sample.truth
                if single:
                    row["label"] = None if truth is None else data.names.index(truth.names[0])  # type: ignore[attr-defined]
                elif words:
                    row["text"] = None if truth is None else truth.text  # type: ignore[attr-defined]
                elif "truth" in plain:
                    row["truth"] = json.dumps(plain["truth"], allow_nan=False)
                for key in ("given", "attributes"):
                    row[key] = json.dumps(plain[key], allow_nan=False) if key in plain else None
                writers.add(split, row)
                count += 1
        _writing.refuse_nothing(count, data, lost)
    return path


def _stored(image: Image) -> dict[str, Any]:
    encoded = image.encoded()
    return {"bytes": encoded, "path": f"picture{_writing.suffix_of(encoded, image)}"}


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = [path / name for name in _walk.look(path).others if name.lower().endswith(".parquet")]
        return files or (_files(path / "data") if "data" in _walk.look(path).folders else [])
    return [path] if path.suffix.lower() == ".parquet" and path.is_file() else []


class _Samples(Sequence[Sample]):
    """Samples by table and row."""

    def __init__(self, tables: list[_columnar.Table], names: tuple[str, ...] | None) -> None:
        self.tables = tables
        self.ends = np.cumsum([len(table) for table in tables]).tolist()
        known = tables[0].columns
        self.label = next((word for word in _LABEL if word in known), None)
        self.text = next((word for word in _TEXT if word in known), None)
        told = tables[0].class_names(self.label) if self.label else None
        self.classes = names if names is not None else told
        self.sides = [_SIDE.search(table.file.stem) for table in tables]

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.ends else 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        index = range(len(self))[index]
        number = bisect_right(self.ends, index)
        table = self.tables[number]
        row = index - (self.ends[number - 1] if number else 0)
        cells = table.row(row)
        where = f"{table.file} row {row + 1}"
        plain = {key: cells.pop(key) for key in list(cells) if key in _plain.KEYS}
        for key in ("truth", "given", "attributes"):
            if isinstance(plain.get(key), str):
                plain[key] = _plain.load(plain[key], where)
        identity = plain.get("id")
        plain["id"] = str(identity) if identity is not None else None
        plain["group"] = None if plain.get("group") is None else str(plain["group"])
        truth = None if plain.get("truth") else self._truth(cells, where)
        side = self.sides[number]
        if plain.get("split") is None and side is not None:
            plain["split"] = _walk.SPLITS[side.group(1).lower()]
        images = tuple(
            _columnar.CellImage(table, row, column, place, f"{where}{f' picture {place + 1}' if place else ''}")
            for column, place in table.pictures(row, cells.pop(_columnar.COUNT, None) if table.ours else None)
        )
        kept = {key: value for key, value in cells.items() if value is not None}
        return _plain.from_plain({**kept, **plain}, images, truth, f"{table.file.stem}/{row}", where)

    def _truth(self, cells: dict[str, Any], where: str) -> Annotation | None:
        things = cells.get("objects")
        if isinstance(things, dict) and {"bbox", "category"} <= set(things):
            return self._objects(cells.pop("objects"), where)
        for word in _LABELS:
            if isinstance(cells.get(word), list):
                return Labels(tuple(self._name(value, where) for value in cells.pop(word)))
        if self.label is not None and not isinstance(cells.get(self.label), list | dict):
            value = cells.pop(self.label, None)
            return None if value is None else Labels((self._name(value, where),))
        if self.text is not None and isinstance(cells.get(self.text), str):
            return Text(cells.pop(self.text))
        return None

    def _name(self, value: Any, where: str) -> str:
        if self.classes is None or isinstance(value, str):
            return str(value)
        if not 0 <= value < len(self.classes):
            raise InputError("label", f"{where}: class {value} has no name; there are {len(self.classes)}.")
        return str(self.classes[value])

    def _objects(self, things: dict[str, Any], where: str) -> Objects:
        """Boxes as corner and size, with a number or a name each."""
        names = self.tables[0].class_names("objects", "category")
        words = [str(value) if names is None else value for value in things["category"]]
        names = names or tuple(sorted(set(words)))
        try:
            boxes = np.array(things["bbox"], np.float32).reshape(-1, 4)
            classes = np.array([names.index(word) if isinstance(word, str) else word for word in words], np.int64)
        except (ValueError, TypeError) as error:
            raise InputError("label", f"{where}: 'objects' needs four numbers and a name a box.") from error
        if len(classes) and not 0 <= classes.min() <= classes.max() < len(names):
            raise InputError("label", f"{where}: a class without a name; there are {len(names)}.")
        boxes[:, 2:] += boxes[:, :2]
        return Objects(boxes, classes, names)
