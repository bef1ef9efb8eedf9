"""A cleaned view of data: what misleads is left out or cut right, with a list of why. Originals are never touched."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog, geometry
from sightline.core.annotations import Annotation, Objects, to_columns, to_json
from sightline.core.dataset import Dataset
from sightline.core.errors import StorageError
from sightline.core.files import canonical, digest, write_durably
from sightline.core.finding import Finding, count_of
from sightline.core.image import FileImage, Image
from sightline.core.known import KnownImage, remember
from sightline.core.sample import Sample

TWIN = 0.95  # overlap of two boxes of one name from which they are the same thing, marked twice

_UNREADABLE = ("unreadable", "unreadable_truths")  # checks that name what nobody can compare
_KEPT_FIRST = {"test": 0, "val": 1, "train": 2}  # a copy goes from where it is learnt, not from a test


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A view that was written, and what it does without."""

    path: Path
    changes: Path
    kept: int
    left_out: dict[str, str]  # id -> why
    changed: dict[str, str]

    @property
    def line(self) -> str:
        """All of it in one line."""
        return (
            f"cleaned: {self.path} holds {count_of(self.kept, 'sample')}; {len(self.left_out):,} left out and "
            f"{len(self.changed):,} changed, listed in {self.changes}"
        )

    def to_json(self) -> dict[str, Any]:
        plain = {"left_out": self.left_out, "changed": self.changed, "kept": self.kept}
        return {"path": str(self.path), "changes": str(self.changes), **plain}


def write_cleaned(data: Dataset, findings: Sequence[Finding], path: str | Path) -> Cleaned:
    """Write the view: a `.jsonl` refers to the pictures where they lie, a folder holds them again.

    The same data gives the same bytes. What stands at `path` is replaced only where it is such a view.
    """
    path = Path(path)
    known = remember(data)
    changes = path.with_name(f"{path.stem}.changes.json")
    _refuse_strangers(path, changes)
    left_out = _left_out(known, findings)
    samples, changed = [], {}
    for sample in known:
        if sample.id not in left_out:
            truth, why = _mended(sample)
            if why:
                changed[sample.id] = why
                sample = dataclasses.replace(sample, truth=truth)
            samples.append(sample)
    cleaned = Cleaned(path, changes, len(samples), left_out, changed)
    kept = Dataset(samples, name=data.name, names=data.names, kind=data.kind)
    if path.suffix == ".jsonl":
        write_durably(path, _manifest(kept, path))
    elif not (path.is_dir() and changes.is_file()):
        catalog.find("formats", "jsonlines").write(kept, path)
    elif json.loads(changes.read_bytes()) != _changes(cleaned):
        raise StorageError(f"{path} is a cleaned view of other data or of an earlier state. Name a new folder.")
    write_durably(changes, canonical(_changes(cleaned)))
    return cleaned


def _changes(cleaned: Cleaned) -> dict[str, Any]:
    return {"sightline": "cleaned", "left_out": cleaned.left_out, "changed": cleaned.changed, "kept": cleaned.kept}


def _refuse_strangers(path: Path, changes: Path) -> None:
    """Nothing is overwritten that was not written here."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())) and not changes.is_file():
        raise StorageError(f"{path} exists and is no cleaned view. Name a file or a folder that does not exist yet.")


def _left_out(data: Dataset, findings: Sequence[Finding]) -> dict[str, str]:
    """Equal pictures whose labels contradict, other copies of a picture, and samples that findings name."""
    named = {identity: finding.check for finding in findings for identity in finding.leave}
    reasons: dict[str, str] = {}
    copies: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    for sample in data:
        if sample.images and named.get(sample.id) not in _UNREADABLE:
            copies[tuple(image.fingerprint() for image in sample.images)].append(sample)
    for same in [some for some in copies.values() if len(some) > 1]:
        same.sort(key=lambda sample: _KEPT_FIRST.get(sample.split or "", 3))
        if len({_spelt(sample.truth) for sample in same}) > 1:
            some = ", ".join(sorted(sample.id for sample in same)[:3])
            reasons |= {sample.id: f"equal pictures with different labels: {some}" for sample in same}
        else:
            reasons |= {sample.id: f"equal to {same[0].id}" for sample in same[1:]}
    return {identity: check.replace("_", " ") for identity, check in named.items()} | reasons


def _spelt(truth: Annotation | None) -> str:
    if truth is None:
        return ""
    columns = to_columns(truth)
    if "names" in columns and len(columns) == 2:
        return "\x1f".join(sorted(columns["names"].tolist()))
    return "".join(f"{name}{digest(np.ascontiguousarray(array).tobytes())}" for name, array in columns.items())


def _mended(sample: Sample) -> tuple[Annotation | None, str]:
    """The label with boxes cut to the picture, without empty ones and without twins; and what was done."""
    truth = sample.truth
    if not isinstance(truth, Objects) or truth.boxes.shape[1] != 4 or not len(truth):
        return truth, ""
    image = sample.images[0] if sample.images else None
    shape = image.shape if isinstance(image, KnownImage) else None
    done = []
    boxes = truth.boxes
    if shape is not None:
        boxes = geometry.clip(boxes, shape[-1], shape[-2]).astype(boxes.dtype)
        if cut := int((np.abs(boxes - truth.boxes) > 1).any(1).sum()):
            done.append(f"{cut} cut to the picture")
        else:
            boxes = truth.boxes
    inside = geometry.area(boxes) > 0
    if not inside.all():
        done.append(f"{int((~inside).sum())} without an inside removed")
    mended = dataclasses.replace(truth, boxes=boxes).take(inside)
    single = np.sort(geometry.suppress(mended.boxes, np.ones(len(mended)), mended.classes, TWIN))
    if len(single) < len(mended) and truth.tracks is None:
        done.append(f"{len(mended) - len(single)} marked twice removed")
        mended = mended.take(single)
    return (mended, f"boxes: {', '.join(done)}") if done else (truth, "")


def _manifest(data: Dataset, path: Path) -> bytes:
    """One line a sample; pictures are named by where they lie below the manifest."""
    root = path.absolute().parent
    kind = None if data.kind is None else data.kind.__name__.lower()
    header = {"sightline": "samples", "version": 1, "name": data.name, "names": list(data.names), "kind": kind}
    lines = [json.dumps(header)]
    for sample in data:
        plain: dict[str, Any] = {"id": sample.id, "images": [_below(root, image, path) for image in sample.images]}
        if sample.truth is not None:
            plain["truth"] = to_json(sample.truth)
        for key in ("given", "group", "split", "attributes"):
            if (value := getattr(sample, key)) not in (None, {}):
                plain[key] = dict(value) if key in ("given", "attributes") else value
        lines.append(json.dumps(plain, allow_nan=False))
    return ("\n".join(lines) + "\n").encode()


def _below(root: Path, image: Image, path: Path) -> str:
    """The way from the manifest to a picture; a manifest never points out of its folder."""
    inner: Any = image.image if isinstance(image, KnownImage) else image
    if not isinstance(inner, FileImage):
        raise StorageError(f"{image.name} is no file that {path} could point at. Name a folder instead of a .jsonl.")
    way = os.path.relpath(inner.path.absolute(), root)
    if way.startswith("..") or Path(way).is_absolute():
        raise StorageError(
            f"{path} would point out of its folder, at {inner.path}. Name a .jsonl at or above the pictures, "
            f"or a folder that is to hold them again."
        )
    return Path(way).as_posix()
