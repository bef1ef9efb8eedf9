"""Tables of pictures, whatever their rows are kept in: which of them name pictures that are there, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES
from sightline.core.task import Fit
from sightline.formats import _meaning, _paths, _walk
from sightline.formats._cells import Sheet
from sightline.formats._table_samples import Samples, Table

_LOOKED = 20  # rows and tables that a look reads
_INSIDE = 50  # folders in which pictures and tables are looked for
_OPENED = 50  # files of a folder that are asked whether they are tables


@dataclass(frozen=True, slots=True)
class Form:
    """A way to keep rows in files: their suffixes, how one is read, and which files of such a suffix hold none."""

    layout: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, int | None], Sheet]
    may_be: Callable[[Path], bool] = lambda file: True


def sniff(path: Path, form: Form) -> Fit:
    """Natural where one table, or one a side, names pictures that are there."""
    if path.is_file() and path.suffix.lower() not in form.suffixes:
        return Fit(0, f"'{path.suffix}' is no suffix of a table")
    if not path.exists():
        return Fit(0, "no table")
    places = list(_places(path, form))
    for place in places:
        if place.good and place.is_natural:
            return Fit(2, f"{place.named(place.chosen)} names pictures that are there")
        if place.good:
            return Fit(1, place.broken.message if place.broken else f"{place.why}: {place.named(place.good)}")
    seen = [(file, table) for file, table in places[0].tried.items() if isinstance(table, Table)]
    if seen:
        file, table = seen[0]
        name = next(iter(table.sheet.columns[table.told.picture]), "")
        outside = "" if not name or _paths.is_inside(file.parent, name) else ", outside its folder"
        return Fit(1, f"{file.name} names pictures that are not there{outside}, such as '{name[:80]}'")
    broken = next((place.broken for place in places if place.is_sure and place.broken), None)
    return Fit(0, "no table that names pictures") if broken is None else Fit(1, broken.message)


def read(path: Path, form: Form) -> Dataset:
    """The rows of the table; several rows of one picture are its boxes."""
    places = list(_places(path, form))
    place = next((place for place in places if place.good), places[0])
    chosen = place.chosen if path.is_dir() else [path]
    if not chosen or (len(chosen) > 1 and not place.are_parts(chosen)):
        found = place.named(chosen) or "none"
        raise InputError(
            "label", f"{path}: wanted is one table that names pictures; found {found}. Wanted: {form.layout}."
        )
    tables = [table for file in chosen if (table := place.opened(file)) is not None]
    if not tables:
        raise InputError("label", f"{chosen[0]}: no column names pictures. Wanted: {form.layout}.")
    samples = Samples(tables, place.root)
    return Dataset(samples, name=place.root.resolve().name, names=samples.names, kind=samples.kind)


@dataclass
class _Place:
    """The tables of one level of folders, each with the side that its name, or that of its folder, tells."""

    root: Path
    files: dict[Path, str | None]
    form: Form
    is_sure: bool = True  # whether tables here are looked for first of all
    is_beside: bool = True  # whether they lie in the root itself
    bare: tuple[str, ...] = ()  # sides of which pictures are there and no table

    @cached_property
    def tried(self) -> dict[Path, Table | InputError | None]:
        """Each table as its first rows show it, what is wrong with it, or None where it names no pictures."""
        found: dict[Path, Table | InputError | None] = {}
        for file in list(self.files)[:_LOOKED]:
            try:
                found[file] = self.opened(file, _LOOKED)
            except InputError as error:
                found[file] = error
        return found

    @property
    def good(self) -> list[Path]:
        """The tables that name pictures that are there."""
        return [file for file, table in self.tried.items() if isinstance(table, Table) and table.found]

    @property
    def broken(self) -> InputError | None:
        """What is wrong with the first table that cannot be read."""
        return next((error for error in self.tried.values() if isinstance(error, InputError)), None)

    @property
    def chosen(self) -> list[Path]:
        """One a side, or the one called labels; else all that name pictures, there or not."""
        every = [file for file, table in self.tried.items() if table is not None]
        if self.is_sure and not self.is_beside:  # no side is left out because its table is broken
            return every
        found = self.good or every
        called = [file for file in found if file.stem.lower() == "labels"]
        return called if len(called) == 1 and not self.are_parts(found) else found

    @property
    def is_natural(self) -> bool:
        """Whether nothing is left to choose."""
        if not self.is_beside and (self.broken or self.bare):
            return False
        return self.is_sure and (len(self.chosen) == 1 or self.are_parts(self.chosen))

    @property
    def why(self) -> str:
        """Why somebody has to choose."""
        if self.bare:
            return f"no table is in {', '.join(self.bare)}, and pictures are named in"
        return "several tables name pictures" if self.is_sure else "pictures are named further in"

    def are_parts(self, files: list[Path]) -> bool:
        """Whether each table speaks of other pictures: those of a side, or of the folder that it lies in."""
        keys = [self.files[file] if self.is_beside else file.parent for file in files]
        return bool(keys) and None not in keys and len(set(keys)) == len(keys)

    def named(self, files: list[Path]) -> str:
        """The files as a user would call them."""
        return ", ".join(file.relative_to(self.root).as_posix() for file in files[:5])

    def opened(self, file: Path, most: int | None = None) -> Table | None:
        """A table whose names lead to files beside it or in the root; None where no column names pictures."""
        sheet = self.form.read(file, most)
        told = _meaning.meaning_of(sheet)
        if told is None:
            return None
        names = [name for name in sheet.columns[told.picture][:_LOOKED] if name and "\0" not in name]
        homes = {home: _prefix(home, names, str(file)) for home in (file.parent, self.root)}
        home = max(homes, key=lambda home: homes[home][2])
        split = self.files[file] if told.split is None else None
        above = file.stem if self.is_beside else file.parent.relative_to(self.root).as_posix()
        folder, suffix, found = homes[home]
        return Table(sheet, told, home / folder, suffix, split, above, found)


def _places(path: Path, form: Form) -> Iterator[_Place]:
    """What lies in the folder, in those of its folders that are called as sides, and in its other folders."""
    if path.is_file():
        yield _Place(path.parent, {path: _meaning.SIDES.get(path.stem.lower())}, form)
        return
    yield _Place(path, {file: _meaning.SIDES.get(file.stem.lower()) for file in _tables(path, form)}, form)
    sides: dict[Path, str | None] = {}
    others: dict[Path, str | None] = {}
    bare: list[str] = []
    for folder in _walk.subfolders(path)[:_INSIDE]:
        side, tables = _meaning.SIDES.get(folder.name.lower()), _tables(folder, form)
        (others if side is None else sides).update(dict.fromkeys(tables, side))
        if side is not None and not tables and _walk.any_pictures(folder):
            bare.append(folder.name)
    yield _Place(path, sides, form, is_beside=False, bare=tuple(bare))
    yield _Place(path, others, form, is_beside=False, is_sure=False)


def _tables(folder: Path, form: Form) -> list[Path]:
    names = [name for name in _walk.look(folder).others if name.lower().endswith(form.suffixes)]
    return [folder / name for name in names[:_OPENED] if form.may_be(folder / name)]


def _prefix(folder: Path, names: list[str], where: str) -> tuple[str, str, int]:
    """Where the names lead to files: as they are, in one of the folders beside, or with a suffix; how many do."""
    best = ("", "", 0)
    inside = [name for name in names if _paths.is_inside(folder, name)]
    bare = [name for name in inside if not name.lower().endswith(SUFFIXES)]
    endings = ("", *(ending for suffix in SUFFIXES for ending in (suffix, suffix.upper()))) if bare else ("",)
    for between in ("", *_walk.look(folder).folders[:_INSIDE]):
        for ending in endings:
            found = sum(_paths.inside(folder / between, name + ending, where).is_file() for name in inside)
            if found > best[2]:
                best = (between, ending, found)
            if found == len(names):
                return best
    return best
