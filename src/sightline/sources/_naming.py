"""Names of members that strangers chose: which are safe, which are pictures, and what folders say about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sightline.core.annotations import Labels
from sightline.core.errors import AmbiguousError, InputError, SettingsError
from sightline.core.image import SUFFIXES
from sightline.sources._made import same

LONGEST = 4096  # characters of a name
CHOICES = ("look", "folders", "none")
_UNSAFE = re.compile(r"(?:^|/)\.\.(?:/|$)|^/|^[A-Za-z]:|[\x00-\x1f\x7f\\]")
_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX/)")
_SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_KINDS = {"images", "image", "masks", "mask", "labels", "label", "annotations", "jpegimages", "ground_truth"}
_LABELLING = {".json", ".jsonl", ".xml", ".csv", ".tsv", ".txt", ".parquet", ".npz", ".mat"}
_ABOUT = re.compile(r"(?:^|/)(?:read_?me|licen[cs]e|copying|source|notice|citation|changelog)[^/]*$", re.IGNORECASE)


def safe(name: str, where: str) -> str:
    """The name as it will be called; one that points out of its folder on any system is refused."""
    plain = name[2:] if name.startswith("./") else name
    if _UNSAFE.search(plain) or len(plain) > LONGEST or "//" in plain:
        raise InputError(
            "corrupt",
            f"{where}: a member is called {name[:80]!r}. Names that leave the folder, begin at a root or a drive, or "
            "hold control characters are refused. Pack it again with plain relative names.",
        )
    return plain


def is_picture(name: str) -> bool:
    """Told by its name alone; what is hidden, and what a Mac leaves behind, is none."""
    return name.lower().endswith(SUFFIXES) and not _HIDDEN.search(name)


def repeated(names: Iterable[str], where: str) -> NoReturn:
    """Name the one that is there twice."""
    twice = next(name for name, count in Counter(names).items() if count > 1)
    raise InputError("corrupt", f"{where}: holds {twice[:80]!r} twice; which one is meant cannot be told.")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the folder of a member says: its split and its class."""

    names: tuple[str, ...] = ()
    sides: dict[str, str] = field(default_factory=dict)  # folder -> split
    labels: dict[str, Labels] = field(default_factory=dict)  # folder -> class

    def of(self, name: str) -> tuple[str | None, Labels | None]:
        """Split and label of a member."""
        folder = name.rpartition("/")[0]
        return self.sides.get(folder), self.labels.get(folder)

    def column(self, field: str, members: list[str]) -> Sequence[Any] | None:
        """What is known of all members at once."""
        if field == "id":
            return members
        if field in ("split", "truth", "names"):
            place = 0 if field == "split" else 1
            each = [self.of(name)[place] for name in members]
            return [getattr(label, "names", ()) for label in each] if field == "names" else each
        return None if field == "images" else same(field, len(members))


def layout(folders: Iterable[str], others: Counter[str], wanted: str, where: str) -> Layout:
    """One class a folder, perhaps under train, val and test, where every picture lies so; else pictures alone.

    `folders` are those that hold pictures, `others` counts the files that are no pictures. Where they may be labels and
    no class folders are found, or where `wanted` is `folders` and there are none, that is refused with what to write.
    """
    if wanted not in CHOICES:
        raise SettingsError(f"labels = '{wanted}' is none of {', '.join(CHOICES)}.")
    found, doubt = _classes(sorted(set(folders)))
    if wanted == "none":
        return Layout(sides=found.sides)
    if wanted == "folders" and not found.names:
        raise InputError("label", f"{where} holds no class folders: {doubt or 'all pictures lie together'}.")
    if wanted == "look" and doubt:
        raise AmbiguousError(
            f"{where}: {doubt}. Give labels=folders to read the folders as classes, or labels=none for pictures alone."
        )
    if wanted == "look" and not found.names and others:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in others.most_common(3))
        raise AmbiguousError(
            f"{where} holds files beside its pictures that may be labels ({kinds}); in here, labels are read from "
            "class folders only. Give labels=none for the pictures alone, or unpack it and name the folder."
        )
    return found


def labelling(name: str) -> str:
    """The suffix of a file that may hold labels, else nothing."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return suffix if suffix in _LABELLING and not _ABOUT.search(name) and not _HIDDEN.search(name) else ""


def _classes(folders: list[str]) -> tuple[Layout, str]:
    """What the folders say, and what makes that reading doubtful."""
    parts = {folder: folder.split("/") if folder else [] for folder in folders}
    while parts and all(len(path) > 0 for path in parts.values()):  # a wrapper around all says nothing
        tops = {path[0] for path in parts.values()}
        if len(tops) > 1 or next(iter(tops)).lower() in _SPLITS:
            break
        parts = {folder: path[1:] for folder, path in parts.items()}
    sides = {folder: _SPLITS[path[0].lower()] for folder, path in parts.items() if path and path[0].lower() in _SPLITS}
    if sides and len(sides) < len(parts):
        return Layout(), f"some pictures lie under {sorted(set(sides.values()))[0]} and some beside it"
    if sides:
        parts = {folder: path[1:] for folder, path in parts.items()}
    flat = [folder for folder, path in parts.items() if not path]
    if len(flat) == len(parts):
        return Layout(sides=sides), ""
    if flat:
        return Layout(sides=sides), "pictures lie beside the folders"
    labels = {folder: Labels((path[0],)) for folder, path in parts.items()}
    names = tuple(sorted({path[0] for path in parts.values()}))
    read = Layout(names, sides, labels)
    kinds = [name for name in names if name.lower() in _KINDS]
    if kinds:
        return read, f"'{kinds[0]}' is the name of a kind of file, not of a class"
    if len(names) == 1:
        return read, f"only one class folder, '{names[0]}'"
    if not any(len(path) == 1 for path in parts.values()):
        return Layout(sides=sides), ""  # deeper folders: no level of classes
    return read, ""
