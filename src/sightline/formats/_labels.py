"""What label layouts share: things gathered row by row, one vocabulary, and what of a record a layout can hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.decoding import header
from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats._paths import lines_of
from sightline.formats._walk import SPLITS
from sightline.formats._writing import place_of

Size = tuple[int, int]  # rows, columns
_RAGGED = ("masks", "keypoints", "tracks", "texts", "scores", "outlines", "details")


@dataclass(slots=True)
class Thing:
    """One row of `Objects` while a label file is read."""

    name: str
    box: Sequence[float]
    rings: tuple[np.ndarray, ...] = ()
    points: np.ndarray | None = None  # (k, 3)
    mask: np.ndarray | None = None
    score: float | None = None
    track: int | None = None
    text: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


def gathered(things: Sequence[Thing], names: tuple[str, ...], *, points: int = 0, mirror: Any = None) -> Objects:
    """The rows as columns. What only some rows say stays with their details; masks of some become outlines.

    One rotated box makes all of them rotated.
    """
    index = {name: place for place, name in enumerate(names)}
    count = len(things)
    wide = 5 if any(len(thing.box) == 5 for thing in things) else 4
    boxes = np.array([_widened(thing.box, wide) for thing in things], np.float32).reshape(count, wide)
    whole = {
        key: count > 0 and all(getattr(thing, key) is not None for thing in things)
        for key in ("score", "track", "text", "mask")
    }
    for thing in things:
        for key in ("score", "track", "text"):
            if not whole[key] and getattr(thing, key) is not None:
                thing.details[key] = getattr(thing, key)
        if not whole["mask"] and thing.mask is not None:
            thing.rings, thing.details["mask"] = geometry.trace(thing.mask), True
    width = max([points, *(len(thing.points) for thing in things if thing.points is not None)])
    keypoints = np.zeros((count, width, 3), np.float32) if width else None
    if mirror is not None:
        mirror = (*mirror, *range(len(mirror), width))  # points that only other classes have are their own twins
    for row, thing in enumerate(things):
        if keypoints is not None and thing.points is not None:
            keypoints[row, : len(thing.points)] = thing.points
    return Objects(
        boxes,
        np.array([index[thing.name] for thing in things], np.int64),
        names,
        np.array([thing.score for thing in things], np.float32) if whole["score"] else None,
        np.stack([thing.mask for thing in things if thing.mask is not None]) if whole["mask"] else None,
        keypoints,
        np.array([thing.track for thing in things], np.int64) if whole["track"] else None,
        tuple(str(thing.text) for thing in things) if whole["text"] else None,
        mirror if keypoints is not None else None,
        tuple(thing.rings for thing in things) if any(thing.rings for thing in things) else None,
        tuple(thing.details for thing in things) if any(thing.details for thing in things) else None,
    )


def _widened(box: Sequence[float], wide: int) -> Sequence[float]:
    if len(box) == wide:
        return box
    x0, y0, x1, y1 = box
    return ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, 0.0)


def column_of(samples: Sequence[Sample], field: str) -> list[Any]:
    """A field of every sample, made one after the other; "names" are its labels, or the name of each of its objects."""
    made = (samples[row] for row in range(len(samples)))
    if field != "names":
        return [getattr(sample, field) for sample in made]
    return [
        tuple(truth.names[place] for place in truth.classes.tolist())
        if isinstance(truth := sample.truth, Objects)
        else tuple(getattr(truth, "names", ()))
        for sample in made
    ]


class Lazily(Sequence[Sample]):
    """Samples that are made when they are asked for, each from its row."""

    def __init__(self, rows: Sequence[Any], make: Callable[[Any], Sample], *, groups: bool = False) -> None:
        self.rows, self.make, self.groups = rows, make, groups

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Lazily(self.rows[index], self.make, groups=self.groups)
        return self.make(self.rows[index])

    def column(self, field: str) -> Sequence[Any]:
        """The "id", "split", "group" or "names" of every sample; none is made for what its row says."""
        if field == "group" and not self.groups:
            return [None] * len(self.rows)
        if len(self.rows) and hasattr(self.rows[0], field):
            return [getattr(row, field) for row in self.rows]
        return column_of(self, field)


@dataclass(slots=True)
class Vocabulary:
    """The names of a whole data set in one order, while samples bring theirs one by one."""

    names: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)

    def add(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.index:
                self.index[name] = len(self.names)
                self.names.append(name)

    def classes(self, truth: Objects) -> list[int]:
        """The classes of a record in this vocabulary."""
        self.add(truth.names)
        return [self.index[truth.names[place]] for place in truth.classes.tolist()]


def objects_of(sample: Sample, lost: Lost, held: Collection[str]) -> Objects | None:
    """The things of a sample with the columns that a layout holds; other kinds of truth and other columns are lost.

    A column without rows says nothing, so that it is never a loss.
    """
    truth = sample.truth
    if truth is None:
        return None
    if not isinstance(truth, Objects):
        lost.drop(sample.id, f"truth ({type(truth).__name__.lower()})")
        return None
    changes: dict[str, Any] = {}
    if truth.boxes.shape[1] == 5 and len(truth) and "rotation" not in held:
        lost.drop(sample.id, "rotation of boxes")
        changes["boxes"] = upright(truth.boxes)
    for name in _RAGGED:
        column = getattr(truth, name)
        if column is None:
            continue
        says = any(column) if name in ("outlines", "details") else len(truth) > 0
        if not says:
            changes[name] = None
        elif name not in held:
            lost.drop(sample.id, name)
            changes[name] = None
    if truth.mirror is not None and len(truth) and changes.get("keypoints", 0) is None:
        changes["mirror"] = None
    truth = replace(truth, **changes)
    for name in ("boxes", "scores", "keypoints"):
        column = getattr(truth, name)
        if column is not None and column.dtype != np.float32:
            if (column.astype(np.float32) != column).any():
                lost.drop(sample.id, f"digits of {name} beyond 32 bits")
            truth = replace(truth, **{name: column.astype(np.float32)})
    return truth


def upright(boxes: np.ndarray) -> np.ndarray:
    """Rotated boxes as the boxes around them."""
    return geometry.upright(boxes).astype(np.float32)


def whole_details(data: Dataset, lost: Lost, *held: str) -> None:
    """What is said of the whole data set and a layout has no place for."""
    for key, value in data.details.items():
        if key not in held and value:
            lost.drop(data.name, f"'{key}' of the whole")


def details_of(truth: Objects, row: int, sample: str, lost: Lost, held: Collection[str] | None) -> dict[str, Any]:
    """The details of one thing that a layout has a place for; None stands for all of them."""
    told: Mapping[str, Any] = truth.details[row] if truth.details is not None else {}
    if held is None:
        return dict(told)
    for key in told:
        if key not in held:
            lost.drop(sample, f"'{key}' of objects")
    return {key: value for key, value in told.items() if key in held}


def right_way(box: np.ndarray, sample: str, lost: Lost) -> np.ndarray:
    """The box with its first corner up left, for a layout that knows no other."""
    if len(box) == 5 or not (box[:2] > box[2:]).any():
        return box
    lost.drop(sample, "boxes that are inside out")
    return np.concatenate([np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])])


def size_of(data: bytes, name: str) -> Size | None:
    """Rows and columns of an encoded picture; None where it cannot be read."""
    try:
        shape = header(data, name)
    except InputError:
        return None
    return (int(shape[-2]), int(shape[-1])) if len(shape) > 1 else None


def size_in(file: Path) -> Size:
    """Rows and columns of a picture in a file; its beginning is enough for most."""
    try:
        with file.open("rb") as opened:
            data = opened.read(65536)
            size = size_of(data, str(file))
            if size is None:
                shape = header(data + opened.read(LARGEST_FILE), str(file))
                size = (int(shape[-2]), int(shape[-1])) if len(shape) > 1 else (1, 1)
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error
    return size


def short(value: Any) -> float | int:
    """The shortest number that is this one again as a 32-bit float; whole ones without a point."""
    number = float(str(np.float32(value)))
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def extent(start: Any, end: Any) -> float | int:
    """The shortest width with which a 32-bit start gives this 32-bit end again, when added and rounded."""
    low, high = np.float64(short(start)), np.float32(end)
    wide = float(np.float64(high) - low)
    for digits in (0, 1, 2, 3, 4, 5, 6):
        rounded = round(wide, digits)
        if np.float32(low + rounded) == high:
            return int(rounded) if float(rounded).is_integer() else rounded
    return wide


def flat(ring: np.ndarray) -> list[float | int]:
    """x, y, x, y, ... of a ring, as short as they can be written."""
    return [short(value) for value in ring.reshape(-1).tolist()] if ring.dtype == np.float32 else ring.ravel().tolist()


def placed(sample: Sample, suffix: str, taken: set[str], stems: set[str], within: str) -> str:
    """A free relative name for a picture, whose name without its suffix is free too: its labels take that name."""
    name = place_of(sample, suffix, taken, within)
    stem, count = name[: -len(suffix)], 1
    while (free := stem if count == 1 else f"{stem}-{count}").lower() in stems:
        count += 1
    stems.add(free.lower())
    taken.add(f"{free}{suffix}".lower())
    return free + suffix


def names_in(file: Path) -> list[str]:
    """A file with one name of a class a line, each once."""
    lines = lines_of(file)
    for number, name in enumerate(lines, 1):
        if not name or name in lines[: number - 1]:
            raise InputError("label", f"{file} line {number}: {'empty' if not name else 'a second ' + name[:40]!r}.")
    return lines


def names_out(names: Sequence[str], layout: str) -> bytes:
    """The text of such a file."""
    for name in names:
        if not name or name.splitlines() != [name] or name.strip() != name or "\0" in name:
            raise InputError("label", f"the layout '{layout}' cannot hold the name {name[:60]!r}; rename the class.")
    return "".join(f"{name}\n" for name in names).encode()


def few_files(path: Path, suffix: str, most: int = 3) -> list[Path]:
    """Some files with this suffix in a folder or one level further in; a look, not a search."""
    found: list[Path] = []
    folders: list[str | Path] = [path]
    try:
        for folder in folders:
            with os.scandir(folder) as entries:
                some = entries if folder is path else islice(entries, 10_000)
                inside = [entry for entry in some if entry.name.lower().endswith(suffix) or entry.is_dir()]
            for entry in sorted(inside, key=lambda entry: entry.name):
                if entry.name.startswith("."):
                    continue
                if entry.is_file() and entry.name.lower().endswith(suffix) and len(found) < most:
                    found.append(Path(entry.path))
                elif folder is path and entry.is_dir() and len(folders) < 30:
                    folders.append(entry.path)
    except OSError:
        return found
    return found


def ends_of(file: Path, size: int = 65536) -> bytes:
    """The first and the last bytes of a file, to tell what it is without reading it all."""
    try:
        with file.open("rb") as opened:
            head = opened.read(size)
            opened.seek(max(len(head), file.stat().st_size - size))
            return head + opened.read(size)
    except OSError:
        return b""


def sides_of(names: Sequence[str]) -> dict[str, str]:
    """First folder -> split, where every one of these relative paths begins with the name of a split."""
    firsts = {name.split("/")[0] if "/" in name else "" for name in names}
    splits = {first: SPLITS[first.lower()] for first in firsts if first.lower() in SPLITS}
    return splits if len(splits) == len(firsts) else {}


def top_of(file: Path, inner: Sequence[str]) -> Path:
    """The folder of a data set: where a label file lies, or one above where that folder holds nothing but labels."""
    return file.parent.parent if file.parent.name.lower() in inner else file.parent
