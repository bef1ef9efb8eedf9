"""Text files of the first PASCAL annotation: which objects a picture shows, by the number they have in its mask."""

from __future__ import annotations

import re
from pathlib import Path

from sightline.formats import _paths, _walk

_OBJECT = re.compile(r'Original label for object (\d{1,6}) "([^"]{1,100})"')
_MARK = "# Compatible with PASCAL Annotation Version 1"


def notes(path: Path) -> Path | None:
    """The folder of such files beside the pictures, if there is one."""
    for name in ("Annotation", "Annotations"):
        if (path / name).is_dir():
            first = next((file for file in _walk.look(path / name).others if file.endswith(".txt")), None)
            if first and _MARK in "\n".join(_paths.lines_of(path / name / first)[:1]):
                return path / name
    return None


def names_in(file: Path) -> dict[int, str]:
    """Number of an object -> its name; nothing where the file is not there."""
    if not file.is_file():
        return {}
    return {int(number): name for line in _paths.lines_of(file) for number, name in _OBJECT.findall(line)}
