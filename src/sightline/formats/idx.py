"""The idx files of MNIST and its kin: one of pictures and one of labels a side, plain or with gzip."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.lost import Lost
from sightline.core.task import Fit
from sightline.formats import _arrayed, _names, _walk, _writing

LAYOUT = "train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz"
PIXELS = True  # no files of pictures inside
_LARGEST = 2**31  # bytes of one file, unpacked
_NAME = re.compile(r"(.*?)-?(images|labels)[-.]idx(\d)-ubyte(\.gz)?")
_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_SIDES = {"train": "train", "t10k": "test", "test": "test", "val": "val", "valid": "val"}


def sniff(path: Path) -> Fit:
    """Natural where files with these names come in twos and begin as they should."""
    found = _found(path)
    if not found:
        return Fit(0, "no idx files")
    for stem, files in found.items():
        if set(files) != {"images", "labels"}:
            return Fit(1, f"'{stem}' has {' and '.join(sorted(files))} alone")
        for file in files.values():
            try:
                _header(file)
            except InputError as error:
                return Fit(1, error.message)
    return Fit(2, f"idx files of {', '.join(sorted(found))}")


def read(path: Path) -> Dataset:
    """Every picture; what is packed is held in memory, the rest is read when it is asked for."""
    found = _found(path)
    if not found:
        raise InputError("label", f"{path} holds no idx files. Wanted: {LAYOUT}.")
    arrays: list[tuple[str, Path, np.ndarray, np.ndarray]] = []
    for stem, files in sorted(found.items(), key=lambda pair: _order(pair[0])):
        for word in ("images", "labels"):
            if word not in files:
                raise InputError("missing", f"{path}: the {word} of '{stem}' are not there.")
        pictures, labels = _array(files["images"]), _array(files["labels"])
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise InputError("label", f"{files['labels']}: wanted is one whole number a picture, not {labels.shape}.")
        if pictures.ndim not in (3, 4) or pictures.dtype not in (np.uint8, np.float32):
            raise InputError("unsupported", f"{files['images']}: {pictures.dtype} of shape {pictures.shape}.")
        if len(pictures) != len(labels):
            raise InputError("label", f"{files['labels']}: {len(labels):,} labels for {len(pictures):,} pictures.")
        arrays.append((stem, files["images"], pictures, labels))
    top = max((int(labels.max()) for *_, labels in arrays if labels.size), default=-1)
    names = _names.listed(path) or tuple(map(str, range(top + 1)))
    parts = [
        _arrayed.Part(stem, pictures, len(pictures), _arrayed.one_label(names, labels, str(file)), _side(stem), file)
        for stem, file, pictures, labels in arrays
    ]
    return Dataset(_arrayed.Rows(parts), name=path.resolve().name, names=names, kind=Labels)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Plain files, a pair a side; names other than 0, 1, 2 … go into `classes.txt`."""
    lost = _writing.strict(lost, "idx")
    split = _writing.splits_of(data, lost)
    _writing.without_details(data, lost)
    if len(data.names) > 256 or not _names.are_listable(data.names):
        raise InputError("label", f"'idx' holds at most 256 names of one line each; {data.name} has {len(data.names)}.")
    first: list[tuple[int, ...]] = []

    def wants(pixels: np.ndarray) -> str | None:
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
            return f"a picture of {pixels.dtype} with {pixels.shape[-1]} channels, not uint8 with 1 or 3"
        first[:] = first or [pixels.shape]
        return None if pixels.shape == first[0] else "a picture that differs in size from the first"

    with _writing.appearing(path) as folder:
        found = _arrayed.gathered(data, lost, wants)
        _writing.refuse_nothing(sum(map(len, found.values())), data, lost)
        for side, rows in found.items():
            stem = {"train": "train", "test": "t10k", "val": "val"}[side] if split and side else "all"
            pictures = np.stack([pixels[..., 0] if pixels.shape[2] == 1 else pixels for _, pixels in rows])
            labels = np.array([data.names.index(sample.truth.names[0]) for sample, _ in rows], np.uint8)  # type: ignore[union-attr]
            for word, array in (("images", pictures), ("labels", labels)):
                head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
                _writing.store(folder / f"{stem}-{word}-idx{array.ndim}-ubyte", head + array.tobytes())
        if data.names != tuple(map(str, range(len(data.names)))) or _unseen(data):
            _names.write(folder, data.names)
    return path


def _unseen(data: Dataset) -> bool:
    """Whether the last name labels nothing, so that counting would miss it."""
    return not any(data.names[-1] in getattr(sample.truth, "names", ()) for sample in data) if data.names else False


def _found(path: Path) -> dict[str, dict[str, Path]]:
    """What a pair is called -> its files; the plain one where both are there."""
    found: dict[str, dict[str, Path]] = {}
    for name in _walk.look(path).others if path.is_dir() else ():
        if match := _NAME.fullmatch(name):
            files = found.setdefault(match.group(1) or "all", {})
            if match.group(2) not in files or not match.group(4):
                files[match.group(2)] = path / name
    return found


def _side(stem: str) -> str | None:
    return next((side for word, side in _SIDES.items() if word in re.split(r"[-_.]", stem.lower())), None)


def _order(stem: str) -> tuple[int, str]:
    side = _side(stem)
    return (["train", "val", "test"].index(side) if side else 3, stem)


def _header(file: Path) -> tuple[np.dtype, tuple[int, ...], int]:
    """Type, shape, and where the numbers begin."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            start = opened.read(4 + 4 * 4)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("corrupt", f"{file}: {error}.") from error
    if len(start) < 8 or start[:2] != b"\0\0" or start[2] not in _TYPES or not 1 <= start[3] <= 4:
        raise InputError("corrupt", f"{file}: does not begin as an idx file.")
    ends = 4 + 4 * start[3]
    if len(start) < ends:
        raise InputError("truncated", f"{file}: ends within its header.")
    shape = struct.unpack(f">{start[3]}I", start[4:ends])
    dtype = np.dtype(_TYPES[start[2]])
    if math.prod(shape) * dtype.itemsize > _LARGEST:
        raise InputError("too_large", f"{file}: {shape} numbers; the limit is {_LARGEST:,} bytes.")
    return dtype, shape, ends


def _array(file: Path) -> np.ndarray:
    dtype, shape, begins = _header(file)
    size = math.prod(shape) * dtype.itemsize
    if file.suffix != ".gz":
        if file.stat().st_size != begins + size:
            raise InputError("truncated", f"{file}: {file.stat().st_size:,} bytes; its header says {begins + size:,}.")
        flat: Any = np.memmap(file, dtype, "r", begins, shape) if size else np.zeros(shape, dtype)
        return flat if dtype.itemsize == 1 else np.asarray(flat.astype(dtype.newbyteorder("=")))
    try:
        with gzip.open(file) as opened:
            opened.read(begins)
            data = opened.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("corrupt", f"{file}: {error}.") from error
    if len(data) != size:
        raise InputError("truncated", f"{file}: holds another number of bytes than its header says.")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
