"""One .npz of arrays as MedMNIST has them: train_images, train_labels, val_images and so on; or x_train, y_train."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Labels, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.lost import Lost
from sightline.core.task import Fit
from sightline.formats import _arrayed, _medmnist, _members, _walk, _writing

LAYOUT = "data.npz with train_images, train_labels, val_images, val_labels, test_images, test_labels, and perhaps names"
PIXELS = True  # no files of pictures inside
_NAMES = ("names", "classes", "class_names", "label_names")
_IMAGES = re.compile(r"(?:(train|val|valid|test)_)?(?:images|imgs|x)|x_(train|val|valid|test)", re.I)
_NAME = "data.npz"


def sniff(path: Path) -> Fit:
    """Natural where the one .npz holds arrays of pictures with these names."""
    files = _files(path)
    if not files:
        return Fit(0, "no .npz")
    if len(files) > 1:
        return Fit(1, f"{len(files)} files of arrays ({', '.join(file.name for file in files[:4])}); name one")
    try:
        members = _members.members(files[0])
    except InputError as error:
        return Fit(1, error.message)
    images = [name for name in members if _IMAGES.fullmatch(name)]
    if not images:
        return Fit(0, f"{files[0].name} holds no arrays called images")
    labelled = all(_labels_of(name) in members for name in images)
    return Fit(2, f"{files[0].name} holds {', '.join(images)}") if labelled else Fit(1, "some pictures have no labels")


def read(path: Path) -> Dataset:
    """Every picture; arrays that are not packed are read from the file when they are asked for."""
    files = _files(path)
    if len(files) != 1:
        raise InputError("label", f"{path}: wanted is one .npz, found {len(files)}. Wanted: {LAYOUT}.")
    file = files[0]
    members = _members.members(file)
    images = [name for name in members if _IMAGES.fullmatch(name)]
    if not images:
        raise InputError("label", f"{file} holds no arrays called images. Wanted: {LAYOUT}.")
    images.sort(key=lambda name: ("train", "val", "test", None).index(_side(name)))
    labels = {name: _label_array(file, members, name) for name in images}
    names = _names(file, members, [array for array in labels.values() if array is not None])
    parts, kinds = [], set()
    for name in images:
        rows = _members.array(file, members[name])
        if rows.ndim not in (3, 4, 5):
            raise InputError("unsupported", f"{file}: '{name}' of shape {rows.shape} holds no pictures.")
        numbers = labels[name]
        if numbers is not None and len(numbers) != len(rows):
            raise InputError("label", f"{file}: {len(numbers):,} labels for {len(rows):,} pictures in '{name}'.")
        truth, kind = _truth(numbers, names, f"{file} '{_labels_of(name)}'")
        kinds.add(kind)
        turned = (lambda row: row[..., None]) if rows.ndim == 3 else None
        parts.append(_arrayed.Part(_side(name) or "all", rows, len(rows), truth, _side(name), file, turned))
    return Dataset(_arrayed.Rows(parts), name=file.stem, names=names, kind=kinds.pop() if len(kinds) == 1 else None)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """`data.npz` without packing, so that it opens at once; several labels a picture are columns of 0 and 1."""
    lost = _writing.strict(lost, "npz")
    split = _writing.splits_of(data, lost)
    _writing.without_details(data, lost)
    first: list[tuple[Any, ...]] = []

    def wants(pixels: np.ndarray) -> str | None:
        first[:] = first or [(pixels.shape, pixels.dtype)]
        return None if (pixels.shape, pixels.dtype) == first[0] else "a picture that differs in size or depth"

    with _writing.appearing(path) as folder:
        found = _arrayed.gathered(data, lost, wants, labels=False)
        arrays: dict[str, np.ndarray] = {}
        several = data.kind is Labels and any(len(getattr(one.truth, "names", "a")) != 1 for one in data)
        for side, rows in found.items():
            kept = [
                (label, pixels) for sample, pixels in rows if (label := _row(sample, data, lost, several)) is not None
            ]
            if kept:
                prefix = f"{side}_" if split and side else ""
                arrays[f"{prefix}images"] = np.stack([pixels for _, pixels in kept])
                arrays[f"{prefix}labels"] = np.stack([label for label, _ in kept])
        _writing.refuse_nothing(len(arrays), data, lost)
        if data.names:
            arrays["names"] = np.array(data.names)
        _writing.store(folder / _NAME, _members.packed(arrays))
    return path


def _row(sample: Any, data: Dataset, lost: Lost, several: bool) -> np.ndarray | None:
    truth = sample.truth
    if isinstance(truth, Labels) and data.kind is Labels:
        if (
            not data.names
            or any(name.endswith("\0") for name in data.names)
            or len(set(truth.names)) < len(truth.names)
        ):
            lost.drop(sample.id, "row with names that an array cannot hold")
            return None
        if several:
            if list(truth.names) != sorted(truth.names, key=data.names.index):
                lost.drop(sample.id, "order of its names")
            return np.array([name in truth.names for name in data.names], np.uint8)
        return np.array([data.names.index(truth.names[0])], np.uint8 if len(data.names) <= 256 else np.int64)
    if (
        isinstance(truth, Value)
        and data.kind is Value
        and truth.names == data.names
        and truth.numbers.dtype == np.float64
    ):
        for bound in ("low", "high"):
            if getattr(truth, bound) is not None:
                lost.drop(sample.id, "bounds of numbers")
        return truth.numbers
    lost.drop(sample.id, f"row with {_writing.kind_of(sample)} where names or numbers belong")
    return None


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [path / name for name in _walk.look(path).others if name.lower().endswith(".npz")]
    return [path] if path.suffix.lower() == ".npz" and path.is_file() else []


def _side(name: str) -> str | None:
    match = _IMAGES.fullmatch(name)
    word = (match.group(1) or match.group(2)) if match else None
    return _walk.SPLITS[word.lower()] if word else None


def _labels_of(name: str) -> str:
    """What the labels of an array of pictures are called."""
    for images, labels in (("images", "labels"), ("imgs", "labels"), ("x", "y"), ("X", "y")):
        if name == images or name.endswith(f"_{images}") or name.startswith(f"{images}_"):
            return name.replace(images, labels)
    return ""


def _label_array(file: Path, members: dict[str, Any], name: str) -> np.ndarray | None:
    labels = _labels_of(name)
    if labels not in members:
        return None
    array = np.array(_members.array(file, members[labels]))
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise InputError("label", f"{file}: '{labels}' of {array.dtype} and shape {array.shape} holds no labels.")
    return array


def _names(file: Path, members: dict[str, Any], labels: list[np.ndarray]) -> tuple[str, ...]:
    """From the file, from what is known of data sets of this name, else numbers."""
    told = next((name for name in _NAMES if name in members), None)
    if told is not None:
        array = np.array(_members.array(file, members[told]))
        if array.ndim != 1 or array.dtype.kind != "U":
            raise InputError("label", f"{file}: '{told}' must be a list of words.")
        return tuple(map(str, array.tolist()))
    columns = max((array.shape[1] for array in labels), default=0)
    whole = all(array.dtype.kind in "biu" for array in labels)
    count = (
        columns
        if columns > 1 or not whole
        else 1 + max((int(array.max()) for array in labels if array.size), default=-1)
    )
    known = _medmnist.names(file.stem)
    return known if known and len(known) == count else tuple(map(str, range(count)))


def _truth(
    numbers: np.ndarray | None, names: tuple[str, ...], where: str
) -> tuple[Callable[[int], Annotation | None], type[Annotation] | None]:
    if numbers is None:
        return (lambda row: None), None
    if numbers.dtype.kind == "f":
        if numbers.shape[1] != len(names):
            raise InputError("label", f"{where}: {numbers.shape[1]} numbers a picture and {len(names)} names.")
        return (lambda row: Value(names, numbers[row].astype(np.float64))), Value
    if numbers.shape[1] == 1:
        return _arrayed.one_label(names, numbers[:, 0], where), Labels
    if numbers.shape[1] != len(names) or not set(np.unique(numbers).tolist()) <= {0, 1}:
        raise InputError("label", f"{where}: wanted is a column of 0 and 1 a name, not {numbers.shape}.")
    return (lambda row: Labels(tuple(name for name, held in zip(names, numbers[row], strict=True) if held))), Labels
