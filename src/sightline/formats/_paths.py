"""Names that a label file gives: they lie inside its folder, or they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sightline.core.errors import InputError


def inside(folder: Path, name: Any, where: str) -> Path:
    """A file in the folder; a label file must not be able to point at anything else."""
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError("label", f"{where}: {str(name)[:60]!r} is not the path of a file.")
    plain = name.replace("\\", "/")
    if plain[0] == "/" or plain[1:2] == ":" or ".." in plain.split("/"):
        raise InputError(
            "label", f"{where}: '{name[:100]}' leads outside the folder; paths are relative and stay inside."
        )
    return folder / name


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
