"""One folder a class, perhaps under train, val and test: the folder's name is the label; two levels are a hierarchy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _kinds, _walk, _writing
from sightline.formats._labels import Lazily

LAYOUT = "photos/good/1.jpg photos/scratch/2.jpg, or photos/train/good/1.jpg photos/test/scratch/2.jpg"


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which folders are classes, and what this reading would leave out."""

    places: list[tuple[str | None, Path, str]]  # split, folder of one class, its name
    doubts: list[str]

    @property
    def names(self) -> list[str]:
        return sorted({name for *_, name in self.places})

    @property
    def parents(self) -> dict[str, str]:
        """Name -> the name above it, where folders stand in folders."""
        return {name: name.split("/")[0] for name in self.names if "/" in name}


class _Place(NamedTuple):
    """What all pictures of one folder share."""

    folder: Path
    above: str
    split: str | None
    truth: Labels


class _Row(NamedTuple):
    """One picture, and what is known of it before it is a sample."""

    place: _Place
    name: str

    @property
    def id(self) -> str:
        return f"{self.place.above}/{self.name}"

    @property
    def split(self) -> str | None:
        return self.place.split

    @property
    def truth(self) -> Labels:
        return self.place.truth

    @property
    def names(self) -> tuple[str, ...]:
        return self.place.truth.names


def sniff(path: Path) -> Fit:
    """Natural where two folders or more directly hold pictures and nothing would be left out."""
    if not path.is_dir():
        return Fit(0, "not a folder")
    plan = _plan(path)
    count, doubts = len(plan.names), "; ".join(plan.doubts)
    if not count:
        return Fit(0, doubts or _nearest(path))
    if doubts:
        return Fit(1, doubts)
    if count == 1:
        return Fit(1, f"only one class folder, '{plan.names[0]}'")
    splits = sorted({split for split, *_ in plan.places if split})
    under = f" under {', '.join(splits)}" if splits else ""
    if plan.parents:
        above = len(set(plan.parents.values()))
        return Fit(2, f"{count} class folders in {above} folders above them, as '{plan.names[0]}'{under}")
    return Fit(2, f"{count} class folders{under}")


def read(path: Path) -> Dataset:
    """Every picture of every class folder with the folder's name as its label."""
    plan = _plan(path) if path.is_dir() else _Plan([], [])
    if not plan.places:
        raise InputError("label", f"{path} holds no class folders with pictures. Wanted: {LAYOUT}.")
    labels = {name: Labels((name,)) for name in plan.names}
    places = [
        _Place(folder, folder.relative_to(path).as_posix(), split, labels[name]) for split, folder, name in plan.places
    ]
    rows = [_Row(place, name) for place in places for name in _walk.names(place.folder)]

    def sample(row: _Row) -> Sample:
        return Sample(row.id, (FileImage(row.place.folder / row.name),), row.truth, split=row.split)

    told = {"parents": plan.parents} if plan.parents else None
    return Dataset(Lazily(rows, sample), name=path.resolve().name, names=tuple(plan.names), kind=Labels, details=told)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """One picture and one name a sample; a hierarchy of names becomes folders in folders."""
    lost = _writing.strict(lost, "folders")
    split = _writing.splits_of(data, lost)
    deep = _is_hierarchy(data)
    if not split and data.names and all(name.lower() in _walk.SPLITS for name in data.names):
        raise InputError("label", f"folders called {', '.join(data.names)} would be read as splits. Write jsonlines.")
    _writing.without_details(data, lost, *(["parents"] if deep else []))
    taken: set[str] = set()
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given", "attributes"):
                continue
            name = _name(sample, lost, deep)
            if name is None:
                continue
            encoded = sample.image.encoded()
            within = f"{sample.split}/{name}" if split else name
            suffix = _writing.suffix_of(encoded, sample.image)
            _writing.store(folder / _writing.place_of(sample, suffix, taken, within, flat=True), encoded)
        _writing.refuse_nothing(len(taken), data, lost)
    return path


def _plan(path: Path) -> _Plan:
    folders = _walk.subfolders(path)
    inner = {folder: _classes(folder) for folder in folders if folder.name.lower() in _walk.SPLITS}
    sides = {folder: classes for folder, classes in inner.items() if classes}
    doubts = ["pictures beside the class folders would be left out"] if _walk.has_pictures(path) else []
    places: list[tuple[str | None, Path, str]] = []
    if sides:
        places = [
            (_walk.SPLITS[side.name.lower()], one, one.relative_to(side).as_posix())
            for side, classes in sides.items()
            for one in classes
        ]
        beside = ", ".join(side.name for side in sides)
        others = [folder for folder in folders if folder not in sides and _walk.any_pictures(folder)]
        doubts += [f"'{folder.name}' beside {beside} would be left out" for folder in others]
        doubts += [
            f"pictures directly in '{side.name}' would be left out" for side in sides if _walk.has_pictures(side)
        ]
    else:
        classes = _classes(path)
        if classes and all(folder.name.lower() in _walk.SPLITS for folder in classes):
            return _Plan([], [f"{', '.join(folder.name for folder in classes)} hold pictures but no class folders"])
        places = [(None, folder, folder.relative_to(path).as_posix()) for folder in classes]
    doubts += [
        f"'{name}' is the name of a kind of file, not of a class"
        for name in sorted({folder.name for _, folder, _ in places})
        if _kinds.is_kind(name)
    ]
    classes = [folder for _, folder, _ in places]
    beside_of = {folder: tuple(other.name for other in classes if other.parent == folder.parent) for folder in classes}
    doubts += [
        f"'{folder.name}' looks like the masks of '{of}'"
        for folder in classes
        if not _kinds.is_kind(folder.name) and (of := _kinds.partner(folder.name, beside_of[folder]))
    ]
    if classes and (ends := _kinds.endings(_walk.look(classes[0]).pictures)):
        doubts.append(f"names that end in {' and '.join(ends)} are pictures in pairs")
    if _kinds.are_twins([name for *_, name in places]):
        doubts.append("these are the names of pictures in pairs, not of classes")
    if any("/" in name for *_, name in places) and all(name.replace("/", "").isdigit() for *_, name in places):
        doubts.append("folders called by numbers alone are dates or parts rather than classes")
    return _Plan(places, doubts if places else [])


def _classes(path: Path) -> list[Path]:
    """All folders that hold pictures at any depth, if one of them holds some directly; else perhaps a hierarchy."""
    folders = _walk.subfolders(path)
    if any(_walk.has_pictures(folder) for folder in folders):
        return [folder for folder in folders if _walk.any_pictures(folder)]
    return _two_levels(path, folders)


def _two_levels(path: Path, folders: list[Path]) -> list[Path]:
    """Folders in folders, where every picture lies exactly two deep and two folders above or more hold two or more."""
    if len(folders) < 2 or _walk.has_pictures(path) or any(folder.name.lower() in _walk.SPLITS for folder in folders):
        return []
    inner = [_walk.subfolders(folder) for folder in folders]
    if sum(len(below) > 1 for below in inner) < 2:
        return []
    flat = [folder for below in inner for folder in below]
    named_by_kind = any(_kinds.is_kind(folder.name) for folder in flat)
    exact = all(_walk.has_pictures(folder) and not _walk.subfolders(folder) for folder in flat)
    return flat if exact and not named_by_kind and all(inner) else []


def _is_hierarchy(data: Dataset) -> bool:
    """Whether folders in folders would be read as the names and parents that the data has."""
    parents = data.details.get("parents") or {}
    names = [name.split("/") for name in data.names]
    if not names or any(len(parts) != 2 or parents.get("/".join(parts)) != parts[0] for parts in names):
        return False
    above = [parts[0] for parts in names]
    kinds = any(_kinds.is_kind(part) or part.lower() in _walk.SPLITS for parts in names for part in parts)
    used = {name for sample in data for name in getattr(sample.truth, "names", ())}
    whole = used == set(data.names) == set(parents)
    return whole and not kinds and sum(above.count(one) > 1 for one in set(above)) > 1


def _nearest(path: Path) -> str:
    """The layout may lie one folder further in."""
    for folder in _walk.subfolders(path)[:100]:
        if len(_plan(folder).names) > 1:
            return f"no class folders here, but in {folder}"
    return "no folders with pictures in them"


def _name(sample: Sample, lost: Lost, deep: bool) -> str | None:
    """The name of the folder for a sample, or None where there can be none."""
    truth = sample.truth
    if not isinstance(truth, Labels) or len(truth.names) != 1:
        lost.drop(sample.id, f"row with {_writing.kind_of(sample)} where exactly one name belongs")
        return None
    if truth.scores is not None:
        lost.drop(sample.id, "scores")
    name = truth.names[0]
    if not all(map(_is_folder_name, name.split("/") if deep else [name])):
        lost.drop(sample.id, "row with a name that cannot be the name of a folder")
        return None
    return name


def _is_folder_name(name: str) -> bool:
    hidden = not name or name.startswith(".") or name.strip() != name
    return not hidden and not set(name) & set("/\\\0") and len(name.encode("utf-8", "surrogatepass")) <= 200
