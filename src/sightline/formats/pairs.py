"""Pictures in pairs: before and after (the truth is a picture), or two dates and a mask of what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Picture, Regions
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import SUFFIXES, ArrayImage, FileImage, encode, read_image
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _kinds, _masks, _names, _walk, _writing
from sightline.formats._later import later

LAYOUT = "photos/input/1.jpg photos/target/1.jpg, or photos/1_LR.png photos/1_HR.png, or photos/A photos/B photos/label"
CHANGE = ("a", "b")
CHANGED = ("label", "labels", "out", "mask", "masks", "change", "gt")
_LOOKED = 20


@dataclass(frozen=True, slots=True)
class _Row:
    """The files of one sample."""

    images: tuple[Path, ...]
    truth: Path | None
    split: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Folders that belong together, or endings of names."""

    folders: tuple[Path, ...]  # of pictures; the last one holds the truth
    split: str | None = None
    endings: tuple[str, str] | None = None

    @property
    def change(self) -> bool:
        return len(self.folders) == 3


def sniff(path: Path) -> Fit:
    """Natural where folders or names say before and after, and the first pictures have their twins."""
    plans = _plans(path)
    if not plans:
        return Fit(0, "no pairs of pictures")
    shown = ", ".join(plans[0].endings or [folder.name for folder in plans[0].folders])
    for plan in plans if plans[0].endings is None else ():
        files, wanted = _first(plan.folders[0]), plan.folders[: 2 if plan.change else None]
        labelled = [file for file in files if _twin(file, plan.folders[0], plan.folders[-1])]
        if not labelled or not all(_twin(file, plan.folders[0], other) for file in files for other in wanted):
            return Fit(1, f"{shown} hold pictures without a twin")
    return Fit(2, f"pairs in {shown}")


def read(path: Path) -> Dataset:
    """Every pair; the picture that is wanted is read when somebody looks at it."""
    plans = _plans(path)
    if not plans:
        raise InputError("label", f"{path} holds no pairs of pictures. Wanted: {LAYOUT}.")
    rows = [row for plan in plans for row in (_ended(plan) if plan.endings else _sided(plan))]
    legend = _masks.legend_of(path, [row.truth for row in rows if row.truth]) if plans[0].change else None

    def regions(file: Path) -> Annotation:
        assert legend is not None
        return Regions(legend.classes(_masks.read_mask(file, colour=legend.colour), str(file)), legend.names)

    def truth(file: Path | None) -> Any:
        if file is None:
            return None
        if legend is None:
            return later(Picture, partial(_picture, file))
        return later(Regions, partial(regions, file), names=legend.names)

    samples = [
        Sample(_id(row, path), tuple(map(FileImage, row.images)), truth(row.truth), split=row.split) for row in rows
    ]
    names = () if legend is None else legend.names
    return Dataset(samples, name=path.resolve().name, names=names, kind=Picture if legend is None else Regions)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`input` and `target`; or `A`, `B`, `label` and `classes.txt`."""
    lost = _writing.strict(lost, "pairs")
    _writing.without_details(data, lost)
    change = data.kind is Regions
    split = _writing.splits_of(data, lost)
    if change and not _names.are_listable(data.names):
        raise InputError("label", f"the names of {data.name} cannot stand one a line in classes.txt. Write jsonlines.")
    homes = ("A", "B", "label") if change else ("input", "target")
    taken: set[str] = set()
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given", "attributes", images=len(homes) - 1):
                continue
            truth = _stored(sample, data, lost) if sample.truth is not None or not change else b""
            if truth is None:
                continue
            encoded = [image.encoded() for image in sample.images[: len(homes) - 1]]
            suffixes = [_writing.suffix_of(one, image) for one, image in zip(encoded, sample.images, strict=False)]
            first, last = _writing.twin_places(sample, suffixes[0], taken, homes[0], homes[-1], split)
            stem = last[len(homes[-1]) : -len(".png")]
            _writing.store(folder / first, encoded[0])
            for home, one, suffix in zip(homes[1:-1], encoded[1:], suffixes[1:], strict=True):
                _writing.store(folder / f"{home}{stem}{suffix}", one)
            if truth:
                _writing.store(folder / f"{homes[-1]}{stem}{_suffix(truth)}", truth)
        _writing.refuse_nothing(len(taken), data, lost)
        if change:
            _names.write(folder, data.names)
    return path


def _id(row: _Row, path: Path) -> str:
    return row.images[0].relative_to(path).as_posix()


def _stored(sample: Sample, data: Dataset, lost: Lost) -> bytes | None:
    """The bytes of the wanted picture or of the mask of changes; None where the sample has neither."""
    truth = sample.truth
    if isinstance(truth, Picture) and data.kind is Picture:
        return encode(truth.pixels)
    if isinstance(truth, Regions) and data.kind is Regions and truth.classes.ndim == 2 and truth.names == data.names:
        if truth.classes.dtype not in (np.uint8, np.uint16):
            lost.drop(sample.id, f"type {truth.classes.dtype} of class numbers")
        deep = truth.classes.dtype == np.uint16 or len(truth.names) > 256
        return _masks.encode_mask(truth.classes.astype(np.uint16 if deep else np.uint8))
    lost.drop(sample.id, f"row with {_writing.kind_of(sample)} where a picture or a mask of changes belongs")
    return None


def _suffix(data: bytes) -> str:
    return _writing.suffix_of(data, ArrayImage(np.zeros((1, 1, 1), np.uint8)))


def _picture(file: Path) -> Annotation:
    return Picture(read_image(file))


def _plans(path: Path) -> list[_Plan]:
    if not path.is_dir():
        return []
    plans = _folders(path, None)
    for folder in _walk.subfolders(path) if not plans else ():
        if folder.name.lower() in _walk.SPLITS:
            plans += _folders(folder, _walk.SPLITS[folder.name.lower()])
    return plans or _names_that_end(path)


def _folders(path: Path, split: str | None) -> list[_Plan]:
    names = {name.lower(): path / name for name in _walk.look(path).folders}
    found = [(names[first], names[last]) for first, last in _kinds.TWINS if first in names and last in names]
    if not found and all(name in names for name in CHANGE):
        label = next((names[name] for name in CHANGED if name in names), None)
        found = [(names["a"], names["b"], label)] if label is not None else []  # type: ignore[list-item]
    return [side for folders in found[:1] for side in _sides(_Plan(folders, split))]


def _sides(plan: _Plan) -> list[_Plan]:
    """The same by split, where the folders hold nothing but folders called as splits."""
    looks = [_walk.look(folder) for folder in plan.folders]
    names = looks[0].folders
    if looks[0].pictures or not names or any(name.lower() not in _walk.SPLITS for name in names):
        return [plan] if all(map(_walk.any_pictures, plan.folders)) else []
    if any(look.folders != names for look in looks):
        return [plan]
    return [_Plan(tuple(folder / name for folder in plan.folders), _walk.SPLITS[name.lower()]) for name in names]


def _names_that_end(path: Path) -> list[_Plan]:
    """Names in one folder that differ in their ending alone, or in each of several folders."""
    if ends := _kinds.endings(_walk.look(path).pictures):
        return [_Plan((path,), None, ends)]
    inside = [folder for folder in _walk.subfolders(path) if _walk.has_pictures(folder)]
    found = [(folder, _kinds.endings(_walk.look(folder).pictures)) for folder in inside]
    whole = not _walk.has_pictures(path) and all(ends for _, ends in found)
    return [_Plan((folder,), _walk.SPLITS.get(folder.name.lower()), ends) for folder, ends in found] if whole else []


def _first(folder: Path) -> list[Path]:
    files = []
    for file in _walk.pictures(folder):
        files.append(file)
        if len(files) == _LOOKED:
            break
    return files


def _twin(file: Path, folder: Path, other: Path) -> Path | None:
    """The file of the same name, perhaps with another suffix, in another folder."""
    inside = other / file.relative_to(folder)
    if inside.is_file():
        return inside
    return next((twin for suffix in SUFFIXES if (twin := inside.with_suffix(suffix)).is_file()), None)


def _sided(plan: _Plan) -> Iterator[_Row]:
    """A pair of dates may have no mask of changes; every other picture has its twin."""
    for file in _walk.pictures(plan.folders[0]):
        twins = [_twin(file, plan.folders[0], other) for other in plan.folders[1:]]
        lacking = [other for twin, other in zip(twins, plan.folders[1:], strict=True) if twin is None]
        if lacking and (not plan.change or lacking != [plan.folders[-1]]):
            raise InputError("label", f"{file} has no twin in {lacking[0]}.")
        yield _Row((file, *(twin for twin in twins[:-1] if twin is not None)), twins[-1], plan.split)


def _ended(plan: _Plan) -> Iterator[_Row]:
    assert plan.endings is not None
    first, last = plan.endings
    files = {file.stem.lower(): file for file in _walk.pictures(plan.folders[0]) if file.parent == plan.folders[0]}
    for stem, file in files.items():
        if stem.endswith((f"_{first}", f"-{first}")):
            twin = files.get(stem[: -len(first)] + last)
            if twin is None:
                raise InputError("label", f"{file} has no twin that ends in {last}.")
            yield _Row((file,), twin, plan.split)
