"""DeepLabCut: tables of points with three or four header rows, one picture a row, below labeled-data."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _paths, _walk, _writing

LAYOUT = "project/labeled-data/video/CollectedData_name.csv (rows scorer, bodyparts, coords) and the pictures it names"
NAME = "individual"  # what a row is called: the tables name points, not kinds of things
_LARGEST = 2**28
_TABLE = re.compile(r"CollectedData_.*\.csv", re.I)


@dataclass(slots=True)
class _Table:
    """The points of one table."""

    file: Path
    parts: list[str]  # names of points
    individuals: list[str]
    rows: list[tuple[int, str, list[str]]] = field(default_factory=list)  # line, picture, cells


def sniff(path: Path) -> Fit:
    """Natural where a table begins with the header rows of DeepLabCut."""
    files = _files(path)
    if not files:
        return Fit(0, "no CollectedData table")
    try:
        table = _table(files[0])
    except InputError as error:
        return Fit(1, error.message)
    there = sum(_place(table, row, path).is_file() for row in table.rows[:200])
    looked = min(200, len(table.rows))
    if not there:
        return Fit(1, f"{files[0].name} names pictures that are not there")
    short = "" if there == looked else f", {looked - there} of the first {looked} pictures are not there"
    return Fit(2, f"{len(files)} tables of {len(table.parts)} points{short}")


def read(path: Path) -> Dataset:
    """Every row of every table, also those whose picture is not there, so that somebody hears of it."""
    files = _files(path)
    if not files:
        raise InputError("label", f"{path} holds no table of points. Wanted: {LAYOUT}.")
    tables = [_table(file) for file in files]
    first = tables[0]
    for table in tables:
        if (table.parts, table.individuals) != (first.parts, first.individuals):
            raise InputError("label", f"{table.file}: other points than in {first.file}.")
    told = {"keypoints": {NAME: first.parts}, **({"individuals": first.individuals} if first.individuals else {})}
    root = path if path.is_dir() else path.parent
    return Dataset(_Rows(tables, root), name=root.resolve().name, names=(NAME,), kind=Objects, details=told)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """One table a folder of pictures; a point that is absent is an empty cell."""
    lost = _writing.strict(lost, "deeplabcut")
    _writing.without_details(data, lost, "keypoints", "individuals")
    parts, mirror = _parts(data, lost)
    tables: dict[str, list[list[str]]] = {}
    taken: set[str] = set()
    many = max((len(one.truth) for one in data if isinstance(one.truth, Objects)), default=1)
    individuals = [str(name) for name in data.details.get("individuals", ())] or [f"{NAME}{n + 1}" for n in range(many)]
    tracked = many > 1 or bool(data.details.get("individuals"))
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "group", "split", "given", "attributes"):
                continue
            cells = _cells(sample, lost, len(parts), individuals if tracked else [], mirror)
            if cells is None:
                continue
            encoded = sample.image.encoded()
            place = _writing.place_of(sample, _writing.suffix_of(encoded, sample.image), taken, "labeled-data")
            place = place if place.count("/") == 2 else _flattened(place, taken)
            _writing.store(folder / place, encoded)
            tables.setdefault(place.rsplit("/", 1)[0], []).append([place, *cells])
        _writing.refuse_nothing(len(tables), data, lost)
        for inner, rows in tables.items():
            _writing.store(folder / inner / "CollectedData_scorer.csv", _text(rows, parts, individuals, tracked))
    return path


def _files(path: Path) -> list[Path]:
    """The tables of a project, of its labeled-data, of one video, or the one file."""
    if path.is_file():
        return [path] if _TABLE.fullmatch(path.name) else []
    if not path.is_dir():
        return []
    look = _walk.look(path)
    here = [path / name for name in look.others if _TABLE.fullmatch(name)]
    if here or "labeled-data" not in look.folders:
        return here[:1]
    found = [_files(folder) for folder in _walk.subfolders(path / "labeled-data")]
    return [file for files in found for file in files]


def _table(file: Path) -> _Table:
    """Header rows by their first word, then rows of numbers."""
    try:
        text = _paths.whole(file, _LARGEST).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("label", f"{file}: not a table ({error}).") from error
    head: dict[str, list[str]] = {}
    for row in rows[: len(_HEADS)]:
        if not row or row[0] not in _HEADS or row[0] in head:
            break
        head[row[0]] = row
    if "bodyparts" not in head or "coords" not in head:
        raise InputError("label", f"{file} line 1: wanted are rows that begin with scorer, bodyparts, coords.")
    begins = next((place for place, word in enumerate(head["coords"]) if word == "x"), 0)
    wide = len(head["coords"])
    if not begins or (wide - begins) % 2 or head["coords"][begins:] != ["x", "y"] * ((wide - begins) // 2):
        raise InputError("label", f"{file}: the row 'coords' must say x, y, x, y and so on.")
    owners = head.get("individuals", [""] * wide)[begins::2]
    individuals = list(dict.fromkeys(owners)) if "individuals" in head else []
    names = head["bodyparts"][begins::2]
    parts = list(dict.fromkeys(names))
    if list(zip(owners, names, strict=False)) != [(one, part) for one in individuals or [""] for part in parts]:
        raise InputError("label", f"{file}: every individual must have the same points in the same order.")
    table = _Table(file, parts, individuals)
    for number, row in enumerate(rows[len(head) :], len(head) + 1):
        if len(row) == wide:
            table.rows.append((number, "/".join(row[:begins]), row[begins:]))
        elif any(row):
            raise InputError("label", f"{file} line {number}: {len(row)} cells; the header has {wide}.")
    return table


_HEADS = ("scorer", "individuals", "bodyparts", "coords")


def _place(table: _Table, row: tuple[int, str, list[str]], root: Path) -> Path:
    """The picture of a row: below the project, or beside its table where only that was given."""
    number, name, _ = row
    where = f"{table.file} line {number}"
    project = table.file.parent.parent.parent if table.file.parent.parent.name == "labeled-data" else root
    file = _paths.inside(project, name, where)
    if file.is_file():
        return file
    beside = table.file.parent / file.name
    return beside if beside.is_file() else file


class _Rows(Sequence[Sample]):
    """Samples by table and row."""

    def __init__(self, tables: list[_Table], root: Path) -> None:
        self.tables, self.root = tables, root
        self.at = [(number, row) for number, table in enumerate(tables) for row in range(len(table.rows))]
        self.mirror = mirror_of(tables[0].parts)

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        number, row = self.at[index]
        table = self.tables[number]
        line, name, cells = table.rows[row]
        truth = self._objects(table, cells, f"{table.file} line {line}")
        return Sample(name, (FileImage(_place(table, table.rows[row], self.root)),), truth)

    def _objects(self, table: _Table, cells: list[str], where: str) -> Objects:
        try:
            numbers = np.array([float(cell) if cell else math.nan for cell in cells])
        except ValueError as error:
            raise InputError("label", f"{where}: {error}.") from error
        pairs = numbers.reshape(-1, len(table.parts), 2)
        seen = np.isfinite(pairs).all(2)
        points = np.concatenate([np.where(seen[..., None], pairs, 0), 2.0 * seen[..., None]], 2).astype(np.float32)
        there = np.flatnonzero(seen.any(1))
        tracks = there.astype(np.int64) if table.individuals else None
        return Objects(
            np.array([bounds(points[row]) for row in there], np.float32).reshape(-1, 4),
            np.zeros(len(there), np.int64),
            (NAME,),
            keypoints=points[there],
            tracks=tracks,
            mirror=self.mirror,
        )


def bounds(points: np.ndarray) -> np.ndarray:
    """The box around the points that are there."""
    there = points[points[:, 2] > 0, :2]
    return np.concatenate([there.min(0), there.max(0)]) if len(there) else np.zeros(4, points.dtype)


def mirror_of(parts: list[str]) -> tuple[int, ...] | None:
    """The left-right twin of each point where the names say left and right."""
    twins = {"left": "right", "right": "left"}
    swapped = [re.sub(r"left|right", lambda word: twins[word.group().lower()], part, flags=re.I) for part in parts]
    low = [part.lower() for part in parts]
    places = [low.index(other.lower()) if other.lower() in low else -1 for other in swapped]
    return tuple(places) if places != list(range(len(parts))) and sorted(places) == list(range(len(parts))) else None


def _parts(data: Dataset, lost: Lost) -> tuple[list[str], tuple[int, ...] | None]:
    """The names of the points: told by the data set, else numbers."""
    known = data.details.get("keypoints")
    told = next(iter(known.values()), None) if isinstance(known, dict) and known else None
    found = (getattr(one.truth, "keypoints", None) for one in data)
    shape = next((points.shape[1] for points in found if points is not None), 0)
    if isinstance(told, list) and len(told) == shape and len(set(told)) == shape:
        return [str(name) for name in told], mirror_of(told)
    return [f"point{number + 1}" for number in range(shape)], None


def _cells(
    sample: Sample, lost: Lost, count: int, individuals: list[str], mirror: tuple[int, ...] | None
) -> list[str] | None:
    """The numbers of one row, or None where its points cannot be said."""
    truth = sample.truth
    points = truth.keypoints if isinstance(truth, Objects) else None
    if points is None or not isinstance(truth, Objects) or points.shape[1] != count or count == 0:
        lost.drop(sample.id, f"row with {_writing.kind_of(sample)} without these points")
        return None
    for part in ("scores", "masks", "outlines", "texts", "details"):
        if len(truth) and getattr(truth, part) is not None:
            lost.drop(sample.id, part)
    if truth.names != (NAME,):
        lost.drop(sample.id, f"names other than '{NAME}'")
    if len(truth) and truth.mirror != mirror:
        lost.drop(sample.id, "left-right twins that the names of the points do not tell")
    if not individuals and truth.tracks is not None:
        lost.drop(sample.id, "tracks")
    rows = truth.tracks.tolist() if truth.tracks is not None else list(range(len(truth)))
    whole = len(truth) <= 1 if not individuals else set(rows) <= set(range(len(individuals)))
    if (
        not whole
        or len(set(rows)) < len(rows)
        or rows != sorted(rows)
        or (individuals and rows and truth.tracks is None)
    ):
        lost.drop(sample.id, "row with objects that are not one an individual")
        return None
    plain = np.array_equal(truth.boxes, np.array([bounds(one) for one in points]).reshape(-1, 4))
    if not plain or {truth.boxes.dtype, points.dtype} != {np.dtype(np.float32)} or truth.classes.dtype != np.int64:
        lost.drop(sample.id, "boxes that differ from the bounds of their points, or numbers beyond 32 bits")
    if not set(np.unique(points[..., 2]).tolist()) <= {0.0, 2.0} or (points[points[..., 2] == 0] != 0).any():
        lost.drop(sample.id, "points that are hidden")
    if (points[..., 2] == 0).all(1).any():
        lost.drop(sample.id, "objects without a point")
    cells = np.full((max(1, len(individuals)), count, 2), math.nan)
    for row, one in zip(rows if individuals else range(len(points)), points, strict=True):
        cells[row] = np.where(one[:, 2:] > 0, one[:, :2], math.nan)
    return ["" if math.isnan(cell) else repr(float(cell)) for cell in cells.ravel()]


def _flattened(place: str, taken: set[str]) -> str:
    """A place directly in one folder below labeled-data."""
    _, *between, name = place.split("/")
    stem, _, suffix = name.rpartition(".")
    folder, count = "-".join(between) or "pictures", 1
    while (free := f"labeled-data/{folder}/{stem}{'' if count == 1 else f'-{count}'}.{suffix}").lower() in taken:
        count += 1
    taken.add(free.lower())
    return free


def _text(rows: list[list[str]], parts: list[str], individuals: list[str], tracked: bool) -> bytes:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    owners = individuals if tracked else [""]
    wide = 2 * len(parts) * len(owners)
    table.writerow(["scorer", *["scorer"] * wide])
    if tracked:
        table.writerow(["individuals", *[one for one in owners for _ in range(2 * len(parts))]])
    table.writerow(["bodyparts", *[part for _ in owners for part in parts for _ in "xy"]])
    table.writerow(["coords", *["x", "y"] * (wide // 2)])
    table.writerows(rows)
    return stream.getvalue().encode("utf-8")
