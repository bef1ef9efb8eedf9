"""Which pictures and folders lie in a folder, in an order that every machine agrees on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


def is_picture(name: str) -> bool:
    """Told by its name alone: a picture that cannot be read is still listed, so that somebody hears of it."""
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is visible in a folder, sorted by name."""
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError("missing", f"{folder}: {error.strerror or error}.") from error


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder; links to folders count here, one level deep."""
    return [Path(entry.path) for entry in entries(folder) if entry.is_dir()]


def has_pictures(folder: Path) -> bool:
    """Whether pictures lie directly in this folder."""
    return any(is_picture(entry.name) and entry.is_file() for entry in entries(folder))


def pictures(folder: Path) -> Iterator[Path]:
    """Every picture at any depth; links to folders are not followed, since they may lead in circles."""
    inside = entries(folder)
    for entry in inside:
        if is_picture(entry.name) and not entry.is_dir():
            yield Path(entry.path)
    for entry in inside:
        if entry.is_dir(follow_symlinks=False):
            yield from pictures(Path(entry.path))
