"""Who is on which side, written down: a small file beside a run, or one that stands for the data parted like this."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sightline.core.data import open_data
from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import AmbiguousError, InputError, RunError
from sightline.core.files import write_durably
from sightline.core.splitting import sided, split, split_digest

NAME = "sides.jsonl"  # in the folder of a run
_BEGIN = b'{"sightline": "sides"'
_VERSION = 1
_LONGEST = 2**20  # bytes of one line


def reopen(info: Mapping[str, Any], data: Any = None, *, folder: Path | None = None) -> Dataset:
    """The data of a run, parted as it was then; `data` where the run cannot find it by itself.

    The sides that were written down in the folder of the run are taken where they fit the data.
    """
    known = info["data"]
    where = known["where"] if data is None else data
    if where is None:
        raise RunError("the run was trained on data in memory; give the same data again.")
    chosen = info["settings"]
    opened = open_data(where, format=known["format"])
    parted = None if folder is None else recall(opened, folder)
    if parted is not None:
        return parted
    return split(opened, seed=chosen["seed"], by=chosen["split_by"] or None)


def recall(data: Dataset, folder: Path) -> Dataset | None:
    """The data on the sides that were written down in the folder of a run; None where they are of other data."""
    if not (folder / NAME).is_file():
        return None
    header, sides = _read(folder / NAME)
    if list(sides) != list(data.column("id")):
        return None
    return sided(data, list(sides.values()), f"sides {header['split']}")


def held_out(parted: Dataset, side: str | None = None) -> tuple[str, Dataset]:
    """The side named, or the first of test, val and train that is not empty."""
    for name in (side,) if side else ("test", "val", "train"):
        if len(part := parted.side(name)):
            return name, part
    raise AmbiguousError(f"{parted.name} has no samples on the side '{side or 'test'}'; sides are train, val and test.")


def write_sides(parted: Dataset, path: Path, *, where: str | None = None, format: str | None = None) -> str:
    """Write every id with its side, and the hash of all; with `where`, `open_data` opens the file as that data."""
    seal, ids = split_digest(parted), parted.column("id")
    if len(set(ids)) < len(ids):
        raise InputError("label", f"{parted.name} has ids that are there twice; sides are written by id.")
    place = where
    if where is not None and Path(where).exists():
        place = Path(os.path.relpath(Path(where).resolve(), path.resolve().parent)).as_posix()
    header = {
        "sightline": "sides",
        "version": _VERSION,
        "split": seal,
        "count": len(parted),
        "data": place,
        "format": format,
    }
    lines = [json.dumps(header)]
    pairs = zip(ids, parted.column("split"), strict=True)
    lines += [json.dumps({"id": name, "split": side}) for name, side in pairs]
    write_durably(path, ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))
    return seal


def is_sides(path: Path) -> bool:
    """Whether a file begins as one of ours does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGIN)) == _BEGIN
    except (OSError, ValueError):
        return False


def read_sides(path: Path, *, format: str | None = None) -> Dataset:
    """The data that the file names, those samples that it lists, on the sides that it says."""
    header, sides = _read(path)
    if not isinstance(header.get("data"), str):
        raise InputError("label", f"{path} belongs to a run and names no data; open the data itself.")
    named = header["data"]
    beside = path.parent / named
    data = open_data(str(beside) if beside.exists() else named, format=format or header.get("format"))
    ids = data.column("id")
    rows = [row for row, name in enumerate(ids) if name in sides]
    if len(rows) < len(sides):
        lost = next(iter(sides.keys() - set(ids)))
        text = f"{path} lists {len(sides) - len(rows):,} samples that {named} does not have, such as '{lost}'."
        raise InputError("label", f"{text} The data has changed: split it again.")
    some = data if len(rows) == len(ids) else data.take(rows)
    return sided(some, [sides[ids[row]] for row in rows], f"sides {header['split']}")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The header, and the side of every id; a file that was cut or changed is refused."""
    lines = _lines(path)
    header = next(lines, {})
    if header.get("sightline") != "sides" or header.get("version") != _VERSION:
        raise InputError("label", f"{path} line 1: no file of sides that this release reads (version {_VERSION}).")
    sides: dict[str, str | None] = {}
    for number, plain in enumerate(lines, 2):
        name, side = plain.get("id"), plain.get("split")
        if not isinstance(name, str) or side not in (None, *SIDES):
            raise InputError("label", f'{path} line {number}: wanted is {{"id": "...", "split": "train"}}.')
        if name in sides:
            raise InputError("label", f"{path} line {number}: the id '{name[:100]}' was there before.")
        sides[name] = side
    if len(sides) != header.get("count"):
        raise InputError("truncated", f"{path} says {header.get('count')} samples and holds {len(sides)}.")
    return header, sides


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), 1):
                try:
                    plain = json.loads(line.decode("utf-8", "surrogatepass"))
                except (ValueError, RecursionError) as error:
                    raise InputError("label", f"{path} line {number}: not JSON ({error}).") from error
                if not isinstance(plain, dict):
                    raise InputError("label", f"{path} line {number}: not an object in braces.")
                yield plain
    except OSError as error:
        raise InputError("missing", f"{path}: {error.strerror or error}.") from error
