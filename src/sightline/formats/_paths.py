"""Names that a label file gives: they lie inside its folder, or they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sightline.core.errors import InputError


def inside(folder: Path, name: Any, where: str) -> Path:
    """A file in the folder; a label file must not be able to point at anything else.

    The whole path of a file in the folder is as good, and so is one with the marks of Windows where no file has such a
    name.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError("label", f"{where}: {str(name)[:60]!r} is not the path of a file.")
    found = below(folder, name)
    if not _stays(found):
        raise InputError(
            "label", f"{where}: '{name[:100]}' leads outside the folder; paths are relative and stay inside."
        )
    return folder / (found.replace("\\", "/") if "\\" in found and not (folder / found).exists() else found)


def is_inside(folder: Path, name: str) -> bool:
    """Whether `inside` would answer with a path."""
    return bool(name) and "\0" not in name and _stays(below(folder, name))


def below(folder: Path, name: str) -> str:
    """The way from the folder to a file in it that is named by its whole path; any other name as it is."""
    if name[0] not in "/\\" and name[1:2] != ":":
        return name
    for home in (folder.absolute(), folder.resolve()):
        if Path(name).is_relative_to(home):
            return str(Path(name).relative_to(home))
    return name


def _stays(name: str) -> bool:
    plain = name.replace("\\", "/")
    return not (plain[0] == "/" or plain[1:2] == ":" or ".." in plain.split("/"))


def size_within(file: Path, most: int) -> int:
    """How many bytes a file holds; more than `most` are refused, and so is what is no file."""
    try:
        if not file.is_file():
            raise InputError("missing", f"{file}: not a file.")
        size = file.stat().st_size
    except (OSError, ValueError) as error:
        raise InputError("missing", f"{file}: {getattr(error, 'strerror', None) or error}.") from error
    if size > most:
        raise InputError("too_large", f"{file}: {size:,} bytes; the limit is {most:,}.")
    return size


def whole(file: Path, most: int) -> bytes:
    """All bytes of a file that holds at most so many."""
    size_within(file, most)
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error


def lines_of(file: Path, most: int = 2**20) -> list[str]:
    """The lines of a small text file, without the empty ones at its end."""
    try:
        text = whole(file, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("label", f"{file}: not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines
