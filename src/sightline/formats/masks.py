"""Pictures and masks in pairs: gray levels, colours or palette entries that say the class of every pixel."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from sightline.core.annotations import Regions
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _beside, _masks, _numbered, _writing
from sightline.formats._later import later

LAYOUT = "photos/images/1.jpg photos/masks/1.png photos/classes.txt, or photos/1.jpg photos/1_mask.png"


def sniff(path: Path) -> Fit:
    """Natural where every mask that is looked at has its picture and holds few values."""
    places = _beside.found(path, instances=False)
    if not places:
        return Fit(0, "no masks beside pictures")
    shown = ", ".join(sorted({place.masks.name for place in places})[:4])
    wrong = next((place for place in places if not _beside.looks_right(place)), None)
    if wrong is not None:
        return Fit(1, f"{wrong.masks.name} holds masks without a picture in {wrong.pictures.name}")
    try:
        _masks.legend_of(path, _numbered.first_masks(places)[:3])
    except InputError as error:
        return Fit(1, f"what lies in {shown} is no mask: {error.message}")
    if _numbered.hinted(path, places):
        return Fit(1, f"{shown}: masks that number objects")
    return Fit(2, f"masks in {shown}" if not places[0].together else "masks beside pictures in one folder")


def read(path: Path) -> Dataset:
    """Every picture with the classes of its mask, which is read when somebody looks at it."""
    places = _beside.found(path, instances=False) or _beside.found(path)
    if not places:
        raise InputError("label", f"{path} holds no pictures with masks. Wanted: {LAYOUT}.")
    pairs = _beside.pairs(path, places)
    legend = _masks.legend_of(path, [pair.mask for pair in pairs if pair.mask is not None])

    def regions(mask: Path) -> Regions:
        return Regions(legend.classes(_masks.read_mask(mask, colour=legend.colour), str(mask)), legend.names)

    samples = [
        Sample(
            pair.picture.relative_to(path).as_posix(),
            (FileImage(pair.picture),),
            None if pair.mask is None else later(Regions, partial(regions, pair.mask), names=legend.names),
            split=pair.split,
            attributes=_beside.folder_of(pair, path, places),
        )
        for pair in pairs
    ]
    return Dataset(samples, name=path.resolve().name, names=legend.names, kind=Regions)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`images`, `masks` of the same names as gray PNG of class numbers, and `classes.txt`."""
    return _masks.write_beside(data, path, "masks", _mask, lost)


def _mask(sample: Sample, names: tuple[str, ...], lost: Lost) -> np.ndarray | None:
    """The numbers to write, or None where this layout cannot say them."""
    truth = sample.truth
    if truth is None:
        return None
    if not isinstance(truth, Regions) or truth.classes.ndim != 2:
        lost.drop(sample.id, _writing.kind_of(sample) if not isinstance(truth, Regions) else "regions of a volume")
        return None
    classes = truth.classes
    if truth.names != names:
        lost.drop(sample.id, "vocabulary of its own")
        places = {name: place for place, name in enumerate(names)}
        classes = np.array([places[name] for name in truth.names], np.int64)[classes]
    elif classes.dtype != (np.uint16 if len(names) > 256 else np.uint8) and classes.dtype != np.uint16:
        lost.drop(sample.id, f"type {classes.dtype} of class numbers")
    small = truth.classes.dtype == np.uint8 or (truth.classes.dtype != np.uint16 and len(names) <= 256)
    if int(classes.max(initial=0)) > 65535:
        lost.drop(sample.id, "regions of more than 65,536 classes")
        return None
    return classes.astype(np.uint8 if small else np.uint16)
