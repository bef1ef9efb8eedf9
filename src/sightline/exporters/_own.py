"""Files that this process has just written: the only ones of kinds with code or unscanned parts that it opens again."""

from __future__ import annotations

from typing import TypeVar

from sightline.core.errors import BundleError
from sightline.core.files import digest

Files = bytes | dict[str, bytes]  # one file, or the files of a folder by their place in it
_Kind = TypeVar("_Kind", bytes, dict[str, bytes])
_MADE: set[str] = set()


def made(files: _Kind) -> _Kind:
    """The same files, remembered as our own."""
    _MADE.add(_digest(files))
    return files


def check_own(files: Files, name: str, kind: str) -> None:
    """Refuse whatever was not written by this process, before a byte of it is looked at."""
    if _digest(files) not in _MADE:
        raise BundleError(f"{name}: {kind} is opened only by the process that wrote it; a bundle holds ONNX instead.")


def _digest(files: Files) -> str:
    if isinstance(files, bytes):
        return digest(files)
    return digest("\n".join(f"{place} {digest(data)}" for place, data in sorted(files.items())).encode())
