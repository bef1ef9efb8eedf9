"""COCO: boxes, outlines, run-length masks, key points and panoptic maps in JSON beside a folder of pictures.

A file of a million pictures is opened by finding where its objects lie; each is built when its sample is asked for.
Several files of a folder are its splits, told by their names. Parts of an outline are united, as COCO means them; an
outline with holes is written as a mask that every reader understands, with its own points beside it. Where only some
things of a picture are run-length masks, these become exact outlines. A panoptic file is read as `Objects` with masks,
one for each segment. `details` of the data set hold categories, info and licences; `parents` are the supercategories.
"""

from __future__ import annotations

import re
from pathlib import Path

from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.lost import Lost
from sightline.core.task import Fit
from sightline.formats import _coco_read, _coco_write, _labels
from sightline.formats._coco_index import Source
from sightline.formats._walk import SPLITS

LAYOUT = 'photos/images/1.jpg photos/annotations/instances_train.json with {"images": [...], "annotations": [...]}'
_KEY = re.compile(rb'"images"\s*:\s*\[')


def sniff(path: Path) -> Fit:
    """Natural where one file a split lists images and what is annotated in them."""
    files = _files(path)
    if not files:
        return Fit(0, "no JSON file that lists images")
    splits = [_split(file) for file in files]
    for place, split in enumerate(splits):
        if split in splits[:place]:
            other = files[splits.index(split)]
            return Fit(1, f"{other.name} and {files[place].name} label the same pictures; name one of the files")
    return Fit(2, f"{files[0].name} lists images")


def read(path: Path) -> Dataset:
    """Every picture that the files list, with the things that are annotated in it."""
    files = _files(path)
    if not files:
        if path.is_file():
            raise InputError("label", f"{path}: {_why_not(path)} Wanted: {LAYOUT}.")
        raise InputError("label", f"{path} holds no JSON file that lists images. Wanted: {LAYOUT}.")
    splits = [_split(file) for file in files]
    for place, split in enumerate(splits):
        if split in splits[:place]:
            other = files[splits.index(split)]
            raise InputError("label", f"{other} and {files[place]} label the same pictures; name one of the files.")
    several = len(files) > 1
    tops = [_labels.top_of(file, ("annotations", "labels")) for file in files]
    sources = [
        Source(file, top, split if several or path.is_dir() else None, several)
        for file, top, split in zip(files, tops, splits, strict=True)
    ]
    samples = _coco_read.Samples(sources)
    kind = Objects if any(source.labelled for source in sources) else None
    name = (path if path.is_dir() else tops[0]).resolve().name
    return Dataset(samples, name=name, names=samples.names, kind=kind, details=samples.details)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Pictures under images, and one file of annotations a split."""
    return _coco_write.write(data, path, Lost("coco") if lost is None else lost)


def _files(path: Path) -> list[Path]:
    """The label files of a folder: beside the pictures, in `annotations`, or one in the folder of each split."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".json" and _lists_images(path) else []
    found = [file for file in _labels.few_files(path, ".json", 100) if _lists_images(file)]
    return sorted(found)


def _lists_images(file: Path) -> bool:
    ends = _labels.ends_of(file)
    if not ends.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return False
    return bool(_KEY.search(ends)) or (b'"annotations"' in ends and b'"categories"' in ends)


def _split(file: Path) -> str | None:
    """What the name of a file, or of its folder, says of a split: instances_train2017.json, valid/_annotations.json."""
    words = re.split(r"[^a-z]+", file.stem.lower())
    for word in (*reversed(words), file.parent.name.lower()):
        if word in SPLITS:
            return SPLITS[word]
    return None


def _why_not(file: Path) -> str:
    ends = _labels.ends_of(file)
    if ends.lstrip().startswith(b"[") and b'"image_id"' in ends:
        return 'a list of results names no pictures; put it as "annotations" into the file that lists the images.'
    return "lists no images."
