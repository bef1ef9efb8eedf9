"""Paths that a label file names: they stay inside its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sightline.core.errors import InputError


def inside(folder: Path, name: Any, where: str) -> Path:
    """A file in the folder; a label file must not be able to point at anything else."""
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError("label", f"{where}: {str(name)[:60]!r} is not the path of a file.")
    if name[0] in "/\\" or name[1:2] == ":" or ".." in name.replace("\\", "/").split("/"):
        raise InputError(
            "label", f"{where}: '{name[:100]}' leads outside the folder; paths are relative and stay inside."
        )
    return folder / name
