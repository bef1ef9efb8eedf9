"""Which pictures and folders lie in a folder, in an order that every machine agrees on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
MADE = ("run.json", "curve.json", "predictions.jsonl", "explanations.html")  # in folders that hold what came of data
_MOST = 2000  # files of a folder that a look keeps by name
_SETTLED = 5.0  # seconds after which a folder's time of change tells of every change


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass over a folder shows, however many files it holds."""

    folders: tuple[str, ...]  # all of them, sorted
    pictures: tuple[str, ...]  # the first that were met, sorted
    others: tuple[str, ...]  # files that are no pictures, the first that were met, sorted


def is_picture(name: str) -> bool:
    """Told by its name alone: a picture that cannot be read is still listed, so that somebody hears of it."""
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def is_made(folder: str) -> bool:
    """Whether runs, answers or explanations were written here: inside of data such a folder is no part of it."""
    return any(os.access(f"{folder}/{name}", os.F_OK) for name in MADE)


def look(folder: Path) -> Look:
    """A bounded look at a folder, kept while the folder does not change; every layout asks for the same one."""
    try:
        changed = folder.stat().st_mtime_ns
        if time.time() - changed / 1e9 > _SETTLED:
            return _kept(str(folder), changed)
        return _looked(str(folder))
    except OSError as error:
        raise InputError("missing", f"{folder}: {error.strerror or error}.") from error


@lru_cache(64)
def _kept(folder: str, changed: int) -> Look:
    return _looked(folder)


def _looked(folder: str) -> Look:
    folders: list[str] = []
    pictures: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as found:
        for entry in found:
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_dir():
                if not is_made(entry.path):
                    folders.append(name)
            elif name.lower().endswith(SUFFIXES):
                if len(pictures) < _MOST:
                    pictures.append(name)
            elif len(others) < _MOST:
                others.append(name)
    return Look(tuple(sorted(folders)), tuple(sorted(pictures)), tuple(sorted(others)))


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is visible in a folder, sorted by name."""
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError("missing", f"{folder}: {error.strerror or error}.") from error


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder; links to folders count here, one level deep."""
    return [folder / name for name in look(folder).folders]


def has_pictures(folder: Path) -> bool:
    """Whether pictures lie directly in this folder."""
    return bool(look(folder).pictures)


def any_pictures(folder: Path) -> bool:
    """Whether a picture lies at any depth; links to folders are not followed."""
    if has_pictures(folder):
        return True
    return any(any_pictures(inner) for inner in subfolders(folder) if not inner.is_symlink())


def pictures(folder: Path) -> Iterator[Path]:
    """Every picture at any depth; links to folders are not followed, since they may lead in circles."""
    return (folder / name for name in names(folder))


def names(folder: Path, above: str = "") -> Iterator[str]:
    """The place of every picture in the folder, as `day/1.jpg`: first those that lie in it, then folder by folder."""
    found: list[str] = []
    inner: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if entry.is_dir():
                    if not (entry.is_symlink() or is_made(entry.path)):
                        inner.append(name)
                elif name.lower().endswith(SUFFIXES):
                    found.append(name)
    except OSError as error:
        raise InputError("missing", f"{folder}: {error.strerror or error}.") from error
    found.sort()
    yield from (above + name for name in found) if above else found
    for name in sorted(inner):
        yield from names(folder / name, f"{above}{name}/")
