"""Pictures without labels: a folder of them, flat or nested, one file, or a pattern such as photos/*.jpg."""

from __future__ import annotations

import glob
from functools import partial
from itertools import islice
from pathlib import Path

from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _walk, _writing
from sightline.formats._labels import Lazily
from sightline.formats._unread import unread

LAYOUT = "photos/1.jpg photos/2.jpg"
_INSIDE = 20  # folders in which other layouts are looked for


def sniff(path: Path) -> Fit:
    """Natural only where no other layout is; one lone folder looks like a class whose siblings are missing."""
    if path.is_file():
        return (
            Fit(2, "one picture")
            if _walk.is_picture(path.name)
            else Fit(0, f"'{path.suffix}' is no suffix of a picture")
        )
    if not path.is_dir():
        found = any(_matching(path))
        return Fit(2, "pictures that match the pattern") if found else Fit(0, "no picture matches")
    if not _walk.any_pictures(path):
        return Fit(0, "no pictures")
    others = [name for name in catalog.names("formats") if name != "pictures"]
    if any(catalog.find("formats", name).sniff(path).strength for name in others):
        return Fit(1, "pictures, without their labels")
    if (told := unread(path)) is not None:
        return Fit(1, f"pictures, without what {told} may say of them")
    if _walk.has_pictures(path) or _split_folders(path):
        return Fit(2, "pictures without labels")
    deep = [folder for folder in _walk.subfolders(path) if _walk.any_pictures(folder)][:_INSIDE]
    inner = [name for folder in deep for name in others if catalog.find("formats", name).sniff(folder).strength]
    return (
        Fit(1, f"pictures, without the labels of {inner[0]} further in")
        if inner
        else Fit(2, "nested pictures without labels")
    )


def read(path: Path) -> Dataset:
    """Every picture at any depth; folders called train, val and test that hold nothing but pictures are splits."""
    if path.is_dir():
        splits = _split_folders(path)
        rows = [(name,) for name in _walk.names(path)]
        return Dataset(Lazily(rows, partial(_sample, path, splits)), name=path.resolve().name, names=())
    files = [path] if path.is_file() else _matching(path)
    samples = [Sample(file.as_posix(), (FileImage(file),)) for file in files]
    return Dataset(samples, name=path.stem, names=())


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """The pictures alone, by split where they have one."""
    lost = _writing.strict(lost, "pictures")
    _writing.without_details(data, lost)
    taken: set[str] = set()
    split = _writing.splits_of(data, lost)
    with _writing.appearing(path) as folder:
        for sample in data:
            if _writing.holds(sample, lost, "truth", "group", "given", "attributes"):
                encoded = sample.image.encoded()
                suffix = _writing.suffix_of(encoded, sample.image)
                within = (sample.split or "") if split else ""
                _writing.store(folder / _writing.place_of(sample, suffix, taken, within, flat=True), encoded)
        _writing.refuse_nothing(len(taken), data, lost)
    return path


def _sample(folder: Path, splits: dict[str, str], row: tuple[str]) -> Sample:
    (name,) = row
    return Sample(name, (FileImage(folder / name),), split=splits.get(name.split("/", 1)[0]))


def _split_folders(path: Path) -> dict[str, str]:
    """Folder -> split, where pictures lie in such folders and nowhere else."""
    holding = [folder.name for folder in _walk.subfolders(path) if _walk.any_pictures(folder)]
    splits = {name: _walk.SPLITS[name.lower()] for name in holding if name.lower() in _walk.SPLITS}
    return splits if len(splits) == len(holding) and not _walk.has_pictures(path) else {}


def _matching(pattern: Path) -> list[Path]:
    """Pictures that a pattern names, sorted; at most ten million, so that `/**` ends."""
    found = islice(glob.iglob(str(pattern), recursive=True), 10_000_000)  # noqa: PTH207 - may be absolute
    return sorted(Path(name) for name in found if _walk.is_picture(Path(name).name) and Path(name).is_file())
