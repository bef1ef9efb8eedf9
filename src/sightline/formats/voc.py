"""Pascal VOC: one XML file a picture, and lists of names for the splits.

Corners are kept as they are written. A picture without an XML file is unlabelled; one whose file names no object is
empty. What else an object or a picture says (pose, parts, source) stays with its details or attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.core.annotations import Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _labels, _walk, _writing, _xml
from sightline.formats._paths import inside, lines_of
from sightline.formats._xml import Node, escaped, markup, plain, written

LAYOUT = "photos/JPEGImages/1.jpg photos/Annotations/1.xml, perhaps photos/ImageSets/Main/train.txt"
_SETS = {"train": "train", "val": "val", "test": "test", "trainval": "train"}
_FLAGS = ("truncated", "difficult", "occluded")
_HELD = ("rotation", "details")
_OURS = ("annotation", "folder", "filename", "path", "size", "segmented", "object")
_PARTS = ("name", "bndbox", "robndbox", "type")


@dataclass(frozen=True, slots=True)
class _Row:
    """One picture before its labels are read."""

    id: str
    picture: Path
    labels: Path | None
    split: str | None


def sniff(path: Path) -> Fit:
    """Natural where pictures and XML files lie in the folders that the layout names."""
    if not (path / "JPEGImages").is_dir():
        return Fit(0, "no folder JPEGImages")
    if (path / "Annotations").is_dir():
        return Fit(2, "JPEGImages beside Annotations")
    return Fit(1, "JPEGImages without Annotations")


def read(path: Path) -> Dataset:
    """Every picture of JPEGImages with the objects of its XML file; only the names are collected at once."""
    if not (path / "JPEGImages").is_dir():
        raise InputError("label", f"{path} holds no folder JPEGImages. Wanted: {LAYOUT}.")
    rows = _rows(path)
    listed = path / "classes.txt"
    names = _labels.names_in(listed) if listed.is_file() else []
    found = {name for row in rows if row.labels is not None for name in _names(row.labels)}
    every = (*names, *sorted(found.difference(names)))
    kind = Objects if any(row.labels for row in rows) else None
    samples = _labels.Lazily(rows, lambda row: _sample(row, every))
    return Dataset(samples, name=path.resolve().name, names=every, kind=kind)


def _rows(path: Path) -> list[_Row]:
    pictures = {_stem(file, path / "JPEGImages"): file for file in _walk.pictures(path / "JPEGImages")}
    folder = path / "Annotations"
    labels = {_stem(file, folder): file for file in sorted(folder.rglob("*.xml")) if not file.name.startswith(".")}
    splits = _splits(path / "ImageSets" / "Main")
    rows = []
    for stem in sorted({*pictures, *labels, *splits}):
        picture = pictures.get(stem) or path / "JPEGImages" / f"{stem}.jpg"  # a picture that is gone is heard of later
        name = picture.relative_to(path / "JPEGImages").as_posix()
        rows.append(_Row(name, picture, labels.get(stem), splits.get(stem)))
    return rows


def _stem(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _splits(folder: Path) -> dict[str, str]:
    """Name without suffix -> split; a name stands on one side only."""
    splits: dict[str, str] = {}
    for name, split in _SETS.items():
        file = folder / f"{name}.txt"
        for number, line in enumerate(lines_of(file) if file.is_file() else [], 1):
            stem, where = line.strip(), f"{file} line {number}"
            if not stem:
                continue
            inside(folder, stem, where)
            if splits.get(stem, split) != split and name != "trainval":
                raise InputError("label", f"{where}: '{stem[:60]}' is on the side '{splits[stem]}' too.")
            splits.setdefault(stem, split)
    return splits


def _names(file: Path) -> set[str]:
    return {thing.word("name") for thing in _xml.document(file, "annotation").all("object")}


def _sample(row: _Row, names: tuple[str, ...]) -> Sample:
    if row.labels is None:
        return Sample(row.id, (FileImage(row.picture),), split=row.split)
    root = _xml.document(row.labels, "annotation")
    for thing in root.all("object"):
        if thing.word("name") not in names:
            raise InputError("corrupt", f"{row.labels} changed after it was opened; open it again.")
    truth = _labels.gathered([_thing(node) for node in root.all("object")], names)
    told = plain(root) if root.children else {}
    attributes = {key: value for key, value in told.items() if key not in _OURS}
    return Sample(row.id, (FileImage(row.picture),), truth, split=row.split, attributes=attributes)


def _thing(node: Node) -> _labels.Thing:
    details: dict[str, Any] = {key: value for key, value in plain(node).items() if key not in _PARTS}
    for flag in _FLAGS:
        if flag in details:
            if details[flag] not in ("0", "1"):
                raise InputError("label", f"{node.where}: <{flag}> must be 0 or 1, not {str(details[flag])[:40]!r}.")
            if details.pop(flag) == "1":
                details[flag] = True
    if details.get("pose") in ("Unspecified", ""):
        del details["pose"]
    return _labels.Thing(node.word("name"), _box(node), details=details)


def _box(node: Node) -> list[float]:
    turned, box = node.first("robndbox"), node.first("bndbox")
    if turned is not None:
        return [turned.number(key) for key in ("cx", "cy", "w", "h", "angle")]
    if box is None:
        raise InputError("label", f"{node.where}: this object has no <bndbox>.")
    corners = [box.number(key) for key in ("xmin", "ymin", "xmax", "ymax")]
    if corners[0] > corners[2] or corners[1] > corners[3]:
        raise InputError("label", f"{box.where}: a box from {corners[:2]} to {corners[2:]} is inside out.")
    return corners


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Boxes (upright or rotated) with their details; names go to classes.txt, splits to ImageSets."""
    lost = _writing.strict(lost, "voc")
    taken: set[str] = set()
    stems: set[str] = set()
    sets: dict[str, list[str]] = {}
    vocabulary = _labels.Vocabulary()
    vocabulary.add(data._names or ())
    _labels.whole_details(data, lost)
    with _writing.appearing(path) as folder:
        for name in ("JPEGImages", "Annotations"):
            (folder / name).mkdir()
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given"):
                continue
            encoded = sample.image.encoded()
            suffix = _writing.suffix_of(encoded, sample.image)
            name = _labels.placed(sample, suffix, taken, stems, "JPEGImages")
            _writing.store(folder / name, encoded)
            stem = name[len("JPEGImages/") : -len(suffix)]
            truth = _labels.objects_of(sample, lost, _HELD)
            if truth is None:
                _writing.holds(sample, lost, "attributes")
            else:
                vocabulary.add(truth.names)
                size = _labels.size_of(encoded, sample.id)
                page = _page(sample, truth, name.removeprefix("JPEGImages/"), size, lost)
                _writing.store(folder / "Annotations" / f"{stem}.xml", page.encode())
            if sample.split is not None and sample.split not in SIDES:
                lost.drop(sample.id, f"split, which must be one of {', '.join(SIDES)}")
            elif sample.split is not None:
                sets.setdefault(sample.split, []).append(stem)
        for split, listed in sets.items():
            _writing.store(folder / "ImageSets/Main" / f"{split}.txt", "".join(f"{one}\n" for one in listed).encode())
        _writing.refuse_nothing(len(stems), data, lost)
        _writing.store(folder / "classes.txt", _labels.names_out(vocabulary.names, "voc"))
    return path


def _page(sample: Sample, truth: Objects, name: str, size: _labels.Size | None, lost: Lost) -> str:
    head = [written("filename", escaped(name, sample.id))]
    if size is not None:
        head.append(written("size", written("width", str(size[1])) + written("height", str(size[0]))))
    head += _kept(sample.id, sample.attributes, _OURS, lost, "attributes")
    body = [_object(sample, truth, row, lost) for row in range(len(truth))]
    lines = "\n".join(["<annotation>", *(f"  {line}" for line in (*head, *body)), "</annotation>"])
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{lines}\n'


def _object(sample: Sample, truth: Objects, row: int, lost: Lost) -> str:
    told = _labels.details_of(truth, row, sample.id, lost, None)
    numbers = _labels.right_way(truth.boxes[row], sample.id, lost)
    box = [str(_labels.short(value)) for value in numbers.tolist()]
    keys = ("xmin", "ymin", "xmax", "ymax") if len(box) == 4 else ("cx", "cy", "w", "h", "angle")
    corners = "".join(written(key, value) for key, value in zip(keys, box, strict=True))
    parts = [written("name", escaped(truth.names[truth.classes[row]], sample.id))]
    for flag in _FLAGS:
        if isinstance(told.get(flag), bool):
            told[flag] = "1" if told[flag] else None
    parts += [written("bndbox" if len(box) == 4 else "robndbox", corners)]
    parts += _kept(sample.id, told, _PARTS, lost, "of objects")
    return written("object", "".join(parts))


def _kept(sample: str, told: Mapping[str, Any], taken: tuple[str, ...], lost: Lost, what: str) -> list[str]:
    """Elements for what else is said; what XML cannot say is dropped."""
    kept = []
    for key, value in told.items():
        if key in _FLAGS and value is None:
            continue
        made = None if key in taken else markup(key, value)
        if made is None:
            lost.drop(sample, f"'{key}' {what}" if what != "attributes" else f"attribute '{key}'")
        else:
            kept.append(made)
    return kept
