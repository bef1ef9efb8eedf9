"""The binary files of CIFAR-10 and CIFAR-100: one byte or two of label, then red, green and blue of 32 by 32."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.lost import Lost
from sightline.core.task import Fit
from sightline.formats import _arrayed, _names, _paths, _walk, _writing

LAYOUT = "data_batch_1.bin … test_batch.bin batches.meta.txt, or train.bin test.bin fine_label_names.txt"
PIXELS = True  # no files of pictures inside
_SIZE = 32 * 32 * 3
_BATCH = 10_000  # pictures a file


@dataclass(frozen=True, slots=True)
class _Kind:
    """How many label bytes a record begins with, and where the names stand."""

    labels: int
    names: str
    above: str = ""

    @property
    def record(self) -> int:
        return self.labels + _SIZE


_TEN, _HUNDRED = _Kind(1, "batches.meta.txt"), _Kind(2, "fine_label_names.txt", "coarse_label_names.txt")


def sniff(path: Path) -> Fit:
    """Natural where files with these names hold whole records and their names are listed."""
    kind, files = _found(path)
    if not files:
        return Fit(0, "no CIFAR binary files")
    broken = [file.name for file, _ in files if not file.stat().st_size or file.stat().st_size % kind.record]
    if broken:
        return Fit(1, f"{broken[0]} does not hold records of {kind.record:,} bytes")
    if not (path / kind.names).is_file():
        return Fit(1, f"{kind.names} is missing")
    return Fit(2, f"{len(files)} CIFAR-{'100' if kind is _HUNDRED else '10'} binary files")


def read(path: Path) -> Dataset:
    """Every record; pixels are read from the file when they are asked for."""
    kind, files = _found(path)
    if not files:
        raise InputError("label", f"{path} holds no CIFAR binary files. Wanted: {LAYOUT}.")
    names = _listed(path / kind.names)
    parts = [_part(file, split, kind, names) for file, split in files]
    told = {}
    if kind.above:
        above = _listed(path / kind.above)
        told = {"parents": _parents(parts, names, above, path)}
    return Dataset(
        _arrayed.Rows(parts), name=path.resolve().name, names=names, kind=Labels, details=told if told else None
    )


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Files of 10,000 records each; with a parent for every name in the two-byte form of CIFAR-100."""
    lost = _writing.strict(lost, "cifar")
    split = _writing.splits_of(data, lost, ("train", "test"))
    parents = data.details.get("parents") or {}
    deep = bool(parents) and set(parents) == set(data.names)
    _writing.without_details(data, lost, *(["parents"] if deep else []))
    if len(data.names) > 256 or not _names.are_listable(data.names):
        raise InputError(
            "label", f"'cifar' holds at most 256 names of one line each; {data.name} has {len(data.names)}."
        )
    kind, above = (_HUNDRED, sorted(set(parents.values()))) if deep else (_TEN, [])

    def wants(pixels: np.ndarray) -> str | None:
        fits = pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
        return None if fits else f"a picture of {'x'.join(map(str, pixels.shape))} {pixels.dtype}, not 32x32x3 uint8"

    with _writing.appearing(path) as folder:
        found = _arrayed.gathered(data, lost, wants)
        _writing.refuse_nothing(sum(map(len, found.values())), data, lost)
        for sample, _ in found.get(None, ()) if split else (row for rows in found.values() for row in rows):
            lost.drop(sample.id, "lack of a split (it reads as train)")
        for side, rows in sorted(found.items(), key=lambda pair: str(pair[0])):
            lines = []
            for sample, pixels in rows:
                assert isinstance(sample.truth, Labels)
                name = sample.truth.names[0]
                label = [above.index(parents[name])] if deep else []
                lines.append(bytes([*label, data.names.index(name)]) + pixels.transpose(2, 0, 1).tobytes())
            prefix = (side if split and side else "train") if deep else "test" if split and side == "test" else "data"
            if deep:
                _writing.store(folder / f"{prefix}.bin", b"".join(lines))
                continue
            for number in range(0, len(lines), _BATCH):
                name = "test_batch.bin" if prefix == "test" else f"data_batch_{number // _BATCH + 1}.bin"
                batch = lines if prefix == "test" else lines[number : number + _BATCH]
                _writing.store(folder / name, b"".join(batch))
                if prefix == "test":
                    break
        _writing.store(folder / kind.names, ("\n".join(data.names) + "\n").encode())
        if deep:
            _writing.store(folder / kind.above, ("\n".join(above) + "\n").encode())
    return path


def _found(path: Path) -> tuple[_Kind, list[tuple[Path, str | None]]]:
    if not path.is_dir():
        return _TEN, []
    names = [name for name in _walk.look(path).others if name.endswith(".bin")]
    ten = [name for name in names if name.startswith("data_batch_") or name == "test_batch.bin"]
    if ten:
        ten.sort(key=lambda name: (name == "test_batch.bin", len(name), name))
        return _TEN, [(path / n, "test" if n == "test_batch.bin" else "train") for n in ten]
    hundred = [name for name in ("train.bin", "test.bin") if name in names]
    if hundred and ((path / _HUNDRED.names).is_file() or (path / _HUNDRED.above).is_file()):
        return _HUNDRED, [(path / name, name[:-4]) for name in hundred]
    return _TEN, []


def _part(file: Path, split: str | None, kind: _Kind, names: tuple[str, ...]) -> _arrayed.Part:
    size = _paths.size_within(file, 2**40)
    if not size or size % kind.record:
        raise InputError("truncated", f"{file}: {size:,} bytes are no whole records of {kind.record:,} bytes.")
    records = np.memmap(file, np.uint8, "r", shape=(size // kind.record, kind.record))
    truth = _arrayed.one_label(names, records[:, kind.labels - 1], str(file))
    return _arrayed.Part(file.stem, records, len(records), truth, split, file, lambda row: _turned(row[kind.labels :]))


def _turned(row: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(row.reshape(3, 32, 32).transpose(1, 2, 0))


def _listed(file: Path) -> tuple[str, ...]:
    names = tuple(line.strip() for line in _paths.lines_of(file))
    if not names or "" in names or len(set(names)) < len(names):
        raise InputError("label", f"{file}: wanted is one name a line, none of them empty or for the second time.")
    return names


def _parents(parts: list[_arrayed.Part], names: tuple[str, ...], above: tuple[str, ...], path: Path) -> dict[str, str]:
    """Name -> the coarse name of its records; two of them for one name are refused."""
    found: dict[str, str] = {}
    for part in parts:
        for coarse, fine in np.unique(part.rows[:, :2], axis=0).tolist():
            if coarse >= len(above) or fine >= len(names):
                raise InputError("label", f"{part.file}: classes {coarse} and {fine} have no names.")
            if found.setdefault(names[fine], above[coarse]) != above[coarse]:
                raise InputError("label", f"{path}: '{names[fine]}' lies under two coarse names.")
    return found
