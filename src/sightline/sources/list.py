"""Pictures that are named one by one: a text file with a path a line (list:photos.txt), or a Python list."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES, FileImage, as_image
from sightline.core.sample import Sample
from sightline.sources._made import Made, same

LARGEST = 2**30  # bytes of a text file of paths
LONGEST = 4096  # characters of a path


def read(where: str) -> Dataset:
    """The pictures whose paths a text file holds, a line each; a path that is not whole begins beside the file."""
    file = Path(where)
    lines = _lines(file)
    paths: list[str] = []
    folder = file.parent
    for number, line in enumerate(lines, 1):
        path = line.strip("\r")
        if not path.strip() or path.startswith("#"):
            continue
        if "\0" in path or len(path) > LONGEST:
            raise InputError("label", f"{file}, line {number}: {path[:60]!r} is no path.")
        paths.append(path)
    if not paths:
        raise InputError("empty", f"{file} names no pictures. Write a path a line.")
    return Dataset(_Files(_checked(paths, str(file), folder), folder), name=file.stem, names=())


def dataset(items: Sequence[Any]) -> Dataset:
    """A list of paths, or of anything else that is a picture: bytes, arrays, lazy pictures."""
    if not items:
        raise InputError("empty", "the list holds no pictures.")
    if all(isinstance(item, str | os.PathLike) for item in items):
        paths = [os.fspath(item) for item in items]
        return Dataset(_Files(_checked(paths, "the list", Path()), Path()), name="list", names=())
    if any(isinstance(item, Sample) for item in items):
        raise InputError("unsupported", "a list of samples is Dataset(samples).")
    samples = [Sample(_id(place, item), (as_image(item),)) for place, item in enumerate(items)]
    return Dataset(samples, name="list", names=())


def _id(place: int, item: Any) -> str:
    return os.fspath(item) if isinstance(item, str | os.PathLike) else f"{place:06d}"


def _checked(paths: list[str], where: str, folder: Path) -> list[str]:
    """The same paths, if each is named once and none is a folder."""
    if len(set(paths)) < len(paths):
        seen: dict[str, int] = {}
        for place, path in enumerate(paths, 1):
            if path in seen:
                raise InputError("label", f"{where} names {path!r} twice, as {seen[path]:,} and as {place:,}.")
            seen[path] = place
    for place, path in enumerate(paths, 1):
        if not path.lower().endswith(SUFFIXES):
            if "://" in path:
                raise InputError("unsupported", f"{where}, {place:,}: {path!r} is an address; a list holds paths.")
            if "\0" not in path and os.path.isdir(folder / path):  # noqa: PTH112 - a million Paths take seconds
                raise InputError("label", f"{where}, {place:,}: {path!r} is a folder. Name the pictures in it.")
    return paths


def _lines(file: Path) -> list[str]:
    try:
        if file.exists() and not file.is_file():
            raise InputError("missing", f"{file} is no file. Give a text file with a path a line.")
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError("missing", f"{str(file)!r}: {reason}. Give a text file with a path a line.") from error
    if len(data) > LARGEST:
        raise InputError("too_large", f"{file}: more than {LARGEST:,} bytes of paths.")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")


class _Files(Made):
    """A sample a path, made when it is asked for."""

    def __init__(self, paths: list[str], folder: Path) -> None:
        self.paths, self.folder = paths, folder

    def __len__(self) -> int:
        return len(self.paths)

    def sample(self, index: int) -> Sample:
        path = self.paths[index]
        return Sample(path, (FileImage(self.folder / path),))

    def known(self, field: str) -> Sequence[Any] | None:
        if field == "id":
            return self.paths
        return None if field == "images" else same(field, len(self))
