"""What the outputs of a chain are called: as their sources, in the same folders, no two alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sightline.core.dataset import Dataset
from sightline.core.errors import RunError
from sightline.core.image import SUFFIXES, FileImage

_LONGEST = 150  # characters of a name
_STRANGE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]+')


def stems(data: Dataset) -> dict[str, str]:
    """Each id with the path of its output, still without a suffix; refused where two ids are the same."""
    ids: Sequence[str] = data.column("id")
    if len(set(ids)) < len(ids):
        twice = next(name for name, count in Counter(ids).items() if count > 1)
        raise RunError(f"{data.name} has two pictures called '{twice}'; outputs are named after them.")
    parts = [_parts(name) for name in ids]
    first = data[0].images[0] if len(data) and data[0].images else None
    if isinstance(first, FileImage) and first.path.as_posix() == ids[0]:  # named by path: only what differs is kept
        common = _common([part[:-1] for part in parts])
        parts = [part[common:] for part in parts]
    whole = ["/".join(part) for part in parts]
    bare = [_bare(name) for name in whole]
    shared = Counter(name.lower() for name in bare)
    chosen = [name if shared[name.lower()] == 1 else full for name, full in zip(bare, whole, strict=True)]
    again = Counter(name.lower() for name in chosen)
    if any(count > 1 for count in again.values()):
        chosen = [name if again[name.lower()] == 1 else f"{name}-{row}" for row, name in enumerate(chosen, 1)]
    return dict(zip(ids, chosen, strict=True))


def refuse_inputs(data: Dataset, where: object, out: Path) -> None:
    """Outputs never lie among their sources, nor sources among the outputs."""
    target = out.resolve()
    if isinstance(where, str | Path) and Path(where).is_dir() and target.is_relative_to(Path(where).resolve()):
        raise RunError(f"{out} lies in {where}, among the pictures that are read. Name a folder elsewhere.")
    folders: set[Path] = set()
    for sample in data:
        for image in sample.images:
            if isinstance(image, FileImage):
                folders.add(image.path.parent)
    inner = next((folder for folder in sorted(folders) if folder.resolve().is_relative_to(target)), None)
    if inner is not None:
        raise RunError(f"{out} holds pictures that are read (in {inner}); nothing is changed in place. Name another.")


def _common(folders: list[list[str]]) -> int:
    """How many folders all paths begin with."""
    first, last = min(folders), max(folders)
    same = [one == other for one, other in zip(first, last, strict=False)]
    return same.index(False) if False in same else len(same)


def _parts(name: str) -> list[str]:
    """Folders and name without what leads elsewhere or cannot be a name."""
    made = []
    for part in PurePosixPath(name.replace("\\", "/")).parts:
        if part in ("/", ".", ".."):
            continue
        clean = _STRANGE.sub("-", part).strip() or "picture"
        made.append("_" + clean[1:_LONGEST] if clean.startswith(".") else clean[:_LONGEST])
    return made or ["picture"]


def _bare(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name
