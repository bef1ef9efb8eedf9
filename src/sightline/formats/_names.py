"""The vocabulary of a layout in `classes.txt`: one name a line, in the order that the numbers of classes follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from sightline.core.errors import InputError, nearest
from sightline.formats import _paths, _writing

FILES = ("classes.txt", "labels.txt", "names.txt")


def listed(folder: Path, but: Collection[Path] = ()) -> tuple[str, ...] | None:
    """The names that a file in this folder lists, or None where there is none `but` those that hold other things."""
    files = [folder / name for name in FILES if folder / name not in but]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return None
    names = _paths.lines_of(file)
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name or name in seen:
            raise InputError(
                "label", f"{file} line {number}: {'a name twice' if name else 'no name'}; one name a line."
            )
        seen.add(name)
    return tuple(names)


def read(folder: Path, used: Iterable[str], but: Collection[Path] = ()) -> tuple[str, ...]:
    """The names in the order of the list, else sorted; a name that the list lacks is refused."""
    names = listed(folder, but)
    used = set(used)
    if names is None:
        return tuple(sorted(used))
    strange = sorted(used - set(names))
    if strange:
        raise InputError(
            "label", f"{folder}: '{strange[0][:60]}' is not in the list of classes.{nearest(strange[0], names)}"
        )
    return names


def are_listable(names: Iterable[str]) -> bool:
    """Whether a file of one name a line gives the same names back."""
    names = list(names)
    text = "\n".join(names)
    clean = not any(set(name) & set("\n\r") or not name or "\ufeff" in name for name in names)
    return clean and len(set(names)) == len(names) and len(text.encode("utf-8", "surrogatepass")) < 2**20


def write(folder: Path, names: Iterable[str]) -> None:
    """The list, where there are names."""
    if names := list(names):
        _writing.store(folder / FILES[0], ("\n".join(names) + "\n").encode())
