"""Pictures and masks that number objects: each object gets its box and its mask from the pixels of its number."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from sightline.core.annotations import Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _beside, _masks, _names, _numbered, _pascal1, _writing
from sightline.formats._later import later

LAYOUT = "photos/images/1.jpg photos/instances/1.png (0 is background, k is object k) photos/classes.txt"


def sniff(path: Path) -> Fit:
    """Natural where a name or a text file says so, or where the values alone look like numbers of objects."""
    places = _places(path)
    if not places:
        return Fit(0, "no masks of objects beside pictures")
    shown = places[0].masks.name
    if not all(map(_beside.looks_right, places)):
        return Fit(1, f"{shown} holds masks without a picture")
    if _numbered.hinted(path, places):
        return Fit(2, f"{shown} numbers the objects of each picture")
    try:
        numbered = _numbered.look_numbered(path, _numbered.first_masks(places))
    except InputError as error:
        return Fit(1, error.message)
    if numbered:
        return Fit(2, f"each mask in {shown} counts from 0 to its own number of patches")
    return Fit(1, f"the values in {shown} could number objects")


def read(path: Path) -> Dataset:
    """Every picture with its objects; masks are read when somebody looks at them."""
    places = _places(path)
    if not places:
        raise InputError("label", f"{path} holds no pictures with numbered masks. Wanted: {LAYOUT}.")
    notes = _pascal1.notes(path)
    pairs = _beside.pairs(path, places)
    listed = _names.listed(path)
    told = (
        {} if notes is None else {pair.picture: _pascal1.names_in(notes / f"{pair.picture.stem}.txt") for pair in pairs}
    )
    used = sorted({name for numbered in told.values() for name in numbered.values()})
    names = listed or tuple(used) or ("object",)

    def objects(pair: _beside.Pair) -> Objects:
        assert pair.mask is not None
        mask = _masks.read_mask(pair.mask)
        if mask.dtype == np.int64:
            raise InputError("label", f"{pair.mask}: a colour picture; masks of objects are gray or have a palette.")
        boxes, classes, masks, values = _numbered.objects_in(mask, names if listed else names[:1])
        if told:
            classes = np.array([names.index(told[pair.picture].get(value, names[0])) for value in values], np.int64)
        if len(classes) and int(classes.max()) >= len(names):
            raise InputError(
                "label", f"{pair.mask}: {values[int(classes.argmax())]} has no class; {len(names)} are known."
            )
        return Objects(boxes, classes, names, masks=masks)

    samples = [
        Sample(
            pair.picture.relative_to(path).as_posix(),
            (FileImage(pair.picture),),
            None if pair.mask is None else later(Objects, partial(objects, pair), names=names),
            split=pair.split,
        )
        for pair in pairs
    ]
    return Dataset(samples, name=path.resolve().name, names=names, kind=Objects)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`images`, `instances` of the same names as gray PNG of 16 bits, and `classes.txt`."""
    return _masks.write_beside(data, path, "instances", _mask, lost)


def _places(path: Path) -> list[_beside.Places]:
    return _beside.found(path, instances=True) or _beside.found(path, instances=False)


def _mask(sample: Sample, names: tuple[str, ...], lost: Lost) -> np.ndarray | None:
    """The numbers of the objects by pixel, or None where this layout cannot say them."""
    truth = sample.truth
    if truth is None:
        return None
    if not isinstance(truth, Objects) or truth.masks is None or truth.masks.ndim != 3:
        lost.drop(sample.id, "objects without masks" if isinstance(truth, Objects) else _writing.kind_of(sample))
        return None
    for part in ("scores", "outlines", "keypoints", "tracks", "texts", "details", "mirror"):
        if len(truth) and getattr(truth, part) is not None:
            lost.drop(sample.id, part)
    if truth.names != names:
        lost.drop(sample.id, "vocabulary of its own")
        return None
    most = 65535 if len(names) == 1 else _numbered.EACH - 1
    if len(truth) > most or len(names) > 65:
        lost.drop(sample.id, f"objects beyond {most:,} a picture or 65 names")
        return None
    mask = np.zeros(truth.masks.shape[1:], np.uint16)
    if (truth.masks.sum(0) > 1).any():
        lost.drop(sample.id, "overlap of masks")
    for row, one in reversed(list(enumerate(truth.masks))):
        mask[one] = (int(truth.classes[row]) * _numbered.EACH if len(names) > 1 else 0) + row + 1
    seen = set(np.unique(mask).tolist()) - {0}
    if len(seen) < len(truth):
        lost.drop(sample.id, "objects whose mask is empty or hidden")
    boxes = _numbered.objects_in(mask, names)[0]
    if len(seen) == len(truth) and (truth.boxes.dtype != np.float32 or not np.array_equal(boxes, truth.boxes)):
        lost.drop(sample.id, "boxes that differ from the bounds of their masks")
    if truth.classes.dtype != np.int64:
        lost.drop(sample.id, f"type {truth.classes.dtype} of class numbers")
    return mask
