"""One folder a class, perhaps under train, val and test: the folder's name is the label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _walk, _writing

LAYOUT = "photos/good/1.jpg photos/scratch/2.jpg, or photos/train/good/1.jpg photos/test/scratch/2.jpg"
_KINDS = {"images", "image", "masks", "mask", "labels", "label", "annotations", "jpegimages", "ground_truth"}


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which folders are classes, and what this reading would leave out."""

    places: list[tuple[str | None, Path]]  # split, folder of one class
    doubts: list[str]

    @property
    def names(self) -> list[str]:
        return sorted({folder.name for _, folder in self.places})


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
    splits = sorted({split for split, _ in plan.places if split})
    return Fit(2, f"{count} class folders" + (f" under {', '.join(splits)}" if splits else ""))


def read(path: Path) -> Dataset:
    """Every picture of every class folder with the folder's name as its label."""
    plan = _plan(path) if path.is_dir() else _Plan([], [])
    if not plan.places:
        raise InputError("label", f"{path} holds no class folders with pictures. Wanted: {LAYOUT}.")
    labels = {name: Labels((name,)) for name in plan.names}
    samples = [
        Sample(file.relative_to(path).as_posix(), (FileImage(file),), labels[folder.name], split=split)
        for split, folder in plan.places
        for file in _walk.pictures(folder)
    ]
    return Dataset(samples, name=path.resolve().name, names=tuple(plan.names), kind=Labels)


def write(data: Dataset, path: Path) -> Path:
    """One picture and one name a sample; anything more is refused."""
    taken: set[str] = set()
    splits = [sample.split for sample in data]
    if any(splits) and not all(splits):
        raise InputError(
            "label", "some samples have a split and some have none; the layout 'folders' needs all or none."
        )
    if not any(splits) and data.names and all(name.lower() in _walk.SPLITS for name in data.names):
        raise InputError("label", f"folders called {', '.join(data.names)} would be read as splits. Write jsonlines.")
    with _writing.appearing(path) as folder:
        for sample in data:
            _writing.refuse_what_is_lost(sample, "folders", "group", "given", "attributes")
            name = _name(sample)
            encoded = sample.image.encoded()
            within = f"{sample.split}/{name}" if sample.split else name
            suffix = _writing.suffix_of(encoded, sample.image)
            _writing.store(folder / _writing.place_of(sample, suffix, taken, within, flat=True), encoded)
    return path


def _plan(path: Path) -> _Plan:
    folders = _walk.subfolders(path)
    inner = {folder: _classes(folder) for folder in folders if folder.name.lower() in _walk.SPLITS}
    sides = {folder: classes for folder, classes in inner.items() if classes}
    doubts = ["pictures beside the class folders would be left out"] if _walk.has_pictures(path) else []
    places: list[tuple[str | None, Path]] = []
    if sides:
        places = [(_walk.SPLITS[side.name.lower()], one) for side, classes in sides.items() for one in classes]
        beside = ", ".join(side.name for side in sides)
        others = [folder for folder in folders if folder not in sides and any(_walk.pictures(folder))]
        doubts += [f"'{folder.name}' beside {beside} would be left out" for folder in others]
        doubts += [
            f"pictures directly in '{side.name}' would be left out" for side in sides if _walk.has_pictures(side)
        ]
    else:
        classes = _classes(path)
        if classes and all(folder.name.lower() in _walk.SPLITS for folder in classes):
            return _Plan([], [f"{', '.join(folder.name for folder in classes)} hold pictures but no class folders"])
        places = [(None, folder) for folder in classes]
    places = [(split, folder) for split, folder in places if any(_walk.pictures(folder))]
    doubts += [
        f"'{name}' is the name of a kind of file, not of a class"
        for name in sorted({folder.name for _, folder in places})
        if name.lower() in _KINDS
    ]
    return _Plan(places, doubts if places else [])


def _classes(path: Path) -> list[Path]:
    """All folders that hold pictures at any depth, if one of them holds some directly; else it is no such level."""
    holding = [folder for folder in _walk.subfolders(path) if any(True for _ in _walk.pictures(folder))]
    return holding if any(_walk.has_pictures(folder) for folder in holding) else []


def _nearest(path: Path) -> str:
    """The layout may lie one folder further in."""
    for folder in _walk.subfolders(path):
        if len(_plan(folder).names) > 1:
            return f"no class folders here, but in {folder}"
    return "no folders with pictures in them"


def _name(sample: Sample) -> str:
    truth = sample.truth
    if not isinstance(truth, Labels) or len(truth.names) != 1 or truth.scores is not None:
        raise InputError(
            "label", f"{sample.id}: the layout 'folders' holds exactly one name a picture. Write jsonlines."
        )
    name = truth.names[0]
    if not name or name.startswith(".") or set(name) & set("/\\\0") or name.strip() != name or len(name.encode()) > 200:
        raise InputError("label", f"{sample.id}: {name[:60]!r} cannot be the name of a folder. Write jsonlines.")
    if sample.split not in (None, "train", "val", "test"):
        raise InputError("label", f"{sample.id}: split '{sample.split}' is none of train, val, test.")
    return name
