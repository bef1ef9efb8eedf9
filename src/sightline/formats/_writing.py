"""What writers share: a folder that appears whole or not at all, and file names that say what they hold."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import InputError, StorageError
from sightline.core.files import naming, sync_folder
from sightline.core.image import SUFFIXES, Image
from sightline.core.lost import Lost
from sightline.core.sample import Sample

_SUFFIX_OF = {  # first bytes of a file -> how its name ends
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"BM": ".bmp",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
    b"GIF8": ".gif",
    b"P5": ".pgm",
    b"P6": ".ppm",
    b"RIFF": ".webp",
    b"\x93NUMPY": ".npy",
}


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A folder to fill; it takes its name when the block ends well, and is gone when it does not."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StorageError(f"{path} is not empty. Name a folder that does not exist yet.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with naming(path, 0):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    try:
        yield partial
        with naming(path, 0):
            if path.exists():
                path.rmdir()
            partial.rename(path)
            sync_folder(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def store(path: Path, data: bytes) -> None:
    """One file of a folder that is not visible yet, on the disk before this returns."""
    with naming(path, len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def suffix_of(data: bytes, image: Image) -> str:
    """How the name of a file with these bytes ends; bytes nobody knows keep the suffix that they came with."""
    known = next((suffix for magic, suffix in _SUFFIX_OF.items() if data.startswith(magic)), None)
    came = PurePosixPath(image.name).suffix.lower()
    if known in (".jpg", ".tif") and came in (".jpeg", ".tiff"):
        return came
    return known or (came if came in SUFFIXES else ".png")


def place_of(sample: Sample, suffix: str, taken: set[str], within: str = "", *, flat: bool = False) -> str:
    """A free relative name for a picture in the folder `within`: what its id says of the place in there, or its end."""
    parts = [part for part in PurePosixPath(sample.id.replace("\\", "/").replace("\0", "")).parts if part != "/"]
    folders = within.split("/") if within else []
    for start in range(len(folders)):
        repeated = folders[start:]
        if parts[: len(repeated)] == repeated and len(parts) > len(repeated):
            parts = parts[len(repeated) :]
            break
    else:
        parts = parts[-1:] if flat else parts
    parts = [part.lstrip(".")[:120] or "_" for part in parts] or ["picture"]
    stem = parts[-1][: -len(suffix)] if parts[-1].lower().endswith(suffix) else parts[-1]
    inside, count = "/".join([*folders, *parts[:-1], stem or "_"]), 1
    name = inside + suffix
    while name.lower() in taken:  # some disks know no capitals
        count += 1
        name = f"{inside}-{count}{suffix}"
    taken.add(name.lower())
    return name


def strict(lost: Lost | None, layout: str) -> Lost:
    """What a writer drops is refused unless somebody listens for it."""
    return Lost(layout) if lost is None else lost


def holds(sample: Sample, lost: Lost, *lacking: str, images: int = 1) -> bool:
    """Whether a layout with so many pictures a sample can hold this one; what it lacks a place for is dropped."""
    for field in lacking:
        if getattr(sample, field) is not None and getattr(sample, field) != {}:
            lost.drop(sample.id, kind_of(sample) if field == "truth" else field)
    if len(sample.images) < images:
        lost.drop(sample.id, "row without a picture" if images == 1 else f"row with fewer than {images} pictures")
        return False
    if len(sample.images) > images:
        lost.drop(sample.id, f"pictures beyond the first {images}" if images > 1 else "pictures beyond the first")
    return True


def twin_places(
    sample: Sample, suffix: str, taken: set[str], pictures: str, truths: str, split: bool
) -> tuple[str, str]:
    """Free names for a picture and for the PNG of its truth: the same in two folders, perhaps under the split."""
    under = f"/{sample.split}" if split else ""
    came = sample.id.replace("\\", "/")
    inner = came[len(pictures) + 1 :] if came.startswith(f"{pictures}/") else came
    named = replace(sample, id=inner[: -len(suffix)] if inner.lower().endswith(suffix) else inner)
    truth = place_of(named, ".png", taken, truths + under)
    return pictures + truth[len(truths) : -len(".png")] + suffix, truth


def kind_of(sample: Sample) -> str:
    """What labels a sample, in one word."""
    return "no label" if sample.truth is None else type(sample.truth).__name__.lower()


def splits_of(data: Dataset, lost: Lost, sides: Iterable[str] = SIDES, *, all_or_none: bool = True) -> bool:
    """Whether splits can be written: those the layout knows, for all samples or for none; others are dropped."""
    given = [sample.split for sample in data]
    if not any(given):
        return False
    known = set(sides)
    if all(side in known or not (side or all_or_none) for side in given):
        return True
    why = f"split, which must be one of {', '.join(sides)}" + (" for all samples or for none" if all_or_none else "")
    for row, side in enumerate(given):
        if side:
            lost.drop(data[row].id, why)
    return False


def without_details(data: Dataset, lost: Lost, *held: str) -> None:
    """What is known of the data set as a whole and has no place in this layout is dropped."""
    for key, value in data.details.items():
        if key not in held and value not in (None, {}, []):
            lost.drop(data.name, f"{key} of the data set")


def refuse_nothing(written: int, data: Dataset, lost: Lost) -> None:
    """A layout of which nothing is left is not written."""
    if not written:
        why = "; ".join(lost.lines[:3]) or "the data set is empty"
        raise InputError("label", f"nothing of {data.name} can be written as '{lost.layout}': {why}.")
