"""YOLO: a text file a picture with a row a thing, in fractions of the picture, and data.yaml with names and folders.

A row is a class and a box (5 numbers), an outline (7 or more), a box with key points (as `kpt_shape` says), or four
corners of a rotated box; a score may follow. An empty label file says that nothing is there, a missing one that nobody
has looked. Nine numbers are corners where data.yaml says `task: obb`, or where all rows of the first files are
rectangles of nine numbers; else they are an outline. Fractions are written with all digits, so that coordinates come
back as the same 32-bit numbers; what is smaller than 1e-9 pixels is rounded away, and angles to within half a turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sightline.core.annotations import Annotation, Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _json, _labels, _walk, _yaml, _yolo_rows, _yolo_write
from sightline.formats._arrays import deferred
from sightline.formats._paths import inside, lines_of

LAYOUT = "photos/data.yaml photos/images/train/1.jpg photos/labels/train/1.txt with rows like 0 0.5 0.5 0.1 0.2"
_YAML = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_LISTS = ("classes.txt", "obj.names")
_NAMELESS = "text files of rows, once a data.yaml beside them names the classes, such as: names: [cat, dog]"
_LOOK = 50  # label files that are looked at to tell outlines from corners


@dataclass(frozen=True, slots=True)
class _Row:
    """One picture before its labels are read."""

    id: str
    picture: Path
    labels: Path
    split: str | None


def sniff(path: Path) -> Fit:
    """Natural where data.yaml names classes, or a list of classes lies beside pictures with text files of rows."""
    folder = path.parent if path.is_file() and path.name in _YAML else path
    if not folder.is_dir():
        return Fit(0, "not a folder")
    file = _file(folder, _YAML)
    if file is not None:
        try:
            keys = _yaml.top_keys(lines_of(file), str(file))
        except InputError as error:
            return Fit(0, error.message)
        return Fit(2, f"{file.name} names classes") if "names" in keys else Fit(0, f"{file.name} names no classes")
    listed = _file(folder, _LISTS)
    if listed is None:
        return Fit(1, _NAMELESS) if _nameless(folder) else Fit(0, "no data.yaml and no classes.txt")
    texts = [file for file in _labels.few_files(folder, ".txt", 10) if file.name not in _LISTS]
    if any(_is_row(_labels.ends_of(file, 300)) for file in texts):
        return Fit(2, f"{listed.name} beside text files of rows")
    return Fit(0, f"{listed.name}, but no text files of rows")


def _nameless(folder: Path) -> bool:
    """Whether rows lie among the first files of a folder, or in its `labels`."""
    beside = [folder / name for name in _walk.look(folder).others if name.lower().endswith(".txt")][:10]
    labels = folder / "labels"
    texts = beside + (_labels.few_files(labels, ".txt", 10) if labels.is_dir() else [])
    return any(_is_row(_labels.ends_of(file, 300)) for file in texts)


def _is_row(text: bytes) -> bool:
    words = text.split(b"\n")[0].split()
    return len(words) > 4 and words[0].isdigit() and all(word[:1].isdigit() for word in words)


def _file(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read(path: Path) -> Dataset:
    """Every picture of the folders that data.yaml names, or of `images`, or of the folder itself."""
    folder = path.parent if path.is_file() else path
    file = (path if path.is_file() else _file(folder, _YAML)) if folder.is_dir() else None
    told = _yaml.top_keys(lines_of(file), str(file)) if file is not None else {}
    listed = _file(folder, _LISTS)
    if file is not None and "names" in told:
        names = _names(_yaml.value(told["names"], str(file)), f"{file} line {told['names'][0]}")
    elif listed is not None:
        names = tuple(_labels.names_in(listed))
    else:
        raise InputError(
            "label",
            f"{path} holds no data.yaml or classes.txt with names. Write data.yaml with a line such as "
            f"names: [cat, dog]. Wanted: {LAYOUT}.",
        )
    known = {key: _yaml.value(told[key], str(file)) for key in _yolo_rows.KEYS if key in told}
    rows = _rows(folder, {key: _yaml.value(told[key], str(file)) for key in _walk.SPLITS if key in told}, str(file))
    labels = [row.labels for row in islice((row for row in rows if row.labels.is_file()), _LOOK)]
    shape = _yolo_rows.shape_of(known, labels, names, str(file))
    kind = Objects if labels else None
    details = _yolo_rows.details_of(known, names, str(file))
    samples = _labels.Lazily(rows, lambda row: _sample(row, shape))
    return Dataset(samples, name=folder.resolve().name, names=names, kind=kind, details=details)


def _names(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        if sorted(value, key=str) != sorted(range(len(value)), key=str):
            raise InputError("label", f"{where}: 'names' must be numbered from 0 without a gap.")
        value = [value[place] for place in range(len(value))]
    names = tuple(str(name) for name in _json.rows(value, "'names'", where))
    if len(set(names)) != len(names) or "" in names:
        raise InputError("label", f"{where}: 'names' must differ and not be empty.")
    return names


def _rows(folder: Path, sides: Mapping[str, Any], where: str) -> list[_Row]:
    """The pictures of each split, then those of the `images` folder, or of the folder itself, that no split names."""
    rows: dict[Path, _Row] = {}
    for key, value in sides.items():
        for place in value if isinstance(value, list) else [value]:
            for picture in _pictures(folder, place, f"{where}: '{key}'") if place is not None else ():
                if picture in rows and rows[picture].split != _walk.SPLITS[key]:
                    raise InputError("label", f"{where}: {picture} is in '{rows[picture].split}' and in '{key}'.")
                rows[picture] = _row(folder, picture, _walk.SPLITS[key])
    if not sides or (folder / "images").is_dir():
        for picture in _walk.pictures(folder / "images" if (folder / "images").is_dir() else folder):
            rows.setdefault(picture, _row(folder, picture, None))
    return sorted(rows.values(), key=lambda row: row.id)


def _pictures(folder: Path, place: Any, where: str) -> list[Path]:
    """The pictures of a folder, or those that a list names."""
    word = _json.text(place, "a folder", where).removeprefix("./")
    while word.startswith("../") and (folder / word.lstrip("./")).exists():
        word = word.removeprefix("../")  # written by tools that start one folder further in
    found = inside(folder, word, where)
    if found.is_dir():
        return list(_walk.pictures(found))
    if found.suffix != ".txt":
        raise InputError("missing", f"{where}: {found} is no folder.")
    lines = [(number, line.strip()) for number, line in enumerate(lines_of(found, 2**28), 1) if line.strip()]
    return [inside(folder, line.removeprefix("./"), f"{found} line {number}") for number, line in lines]


def _row(folder: Path, picture: Path, split: str | None) -> _Row:
    parts = list(picture.relative_to(folder).parts)
    at = max((place for place, part in enumerate(parts[:-1]) if part == "images"), default=None)
    beside = [*parts[:at], "labels", *parts[at + 1 :]] if at is not None else parts
    name = "/".join(parts if at is None else [*parts[:at], *parts[at + 1 :]])
    return _Row(name, picture, folder.joinpath(*beside).with_suffix(".txt"), split)


def _sample(row: _Row, shape: _yolo_rows.Shape) -> Sample:
    image = FileImage(row.picture)
    if not row.labels.is_file():
        return Sample(row.id, (image,), split=row.split)
    truth: Annotation
    try:
        size = _labels.size_in(row.picture)
    except InputError:  # what is wrong with the picture is said by whoever reads it; its labels say so too when asked

        def read() -> Annotation:
            return _yolo_rows.parsed(row.labels, _labels.size_in(row.picture), shape)

        truth = deferred("objects", {"names": shape.names}, read)
    else:
        truth = _yolo_rows.parsed(row.labels, size, shape)
    return Sample(row.id, (image,), truth, split=row.split)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Pictures under images, rows under labels, names and folders in data.yaml."""
    return _yolo_write.write(data, path, Lost("yolo") if lost is None else lost)
