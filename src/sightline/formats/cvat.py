"""CVAT XML 1.1: boxes (also rotated), polygons, polylines, points, ellipses, masks, skeletons, tags and tracks.

Pictures lie under `images`; one that no `<image>` names is unlabelled. Tags are `Labels` where all labels of the file
are tags, and else stand in the sample's attributes. Polylines, points and ellipses have the box around them and keep
their points with their details. The frames of a track file are the pictures in the order of their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.core.annotations import Annotation, Labels, Objects
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _cvat_shapes, _cvat_write, _labels, _walk, _xml
from sightline.formats._coco_names import is_made_up, mirrored
from sightline.formats._paths import inside
from sightline.formats._xml import Node, plain

LAYOUT = 'photos/annotations.xml with <annotations><image name="1.jpg"><box label="cat" .../></image></annotations>'
_IMAGE = ("id", "name", "width", "height", "subset", "task_id")


@dataclass(frozen=True, slots=True)
class _Row:
    """One picture: where its element stands in the file, or the things of its frame."""

    name: str
    split: str | None = None
    place: tuple[int, int] | None = None
    number: int = 0
    frame: tuple[_labels.Thing, ...] | None = None


def sniff(path: Path) -> Fit:
    """Natural where an XML file begins with annotations of version 1.1."""
    file = _file(path)
    if file is None:
        return Fit(0, "no XML file")
    if b"<annotations>" in _labels.ends_of(file, 500)[:500]:
        return Fit(2, f"{file.name} begins with annotations")
    return Fit(0, f"{file.name} does not begin with annotations")


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == ".xml" else None
    listed = path / "annotations.xml"
    if listed.is_file():
        return listed
    try:
        found = [entry for entry in _walk.entries(path) if entry.name.lower().endswith(".xml")] if path.is_dir() else []
    except InputError:
        return None
    return Path(found[0].path) if len(found) == 1 else None


def read(path: Path) -> Dataset:
    """Every image of the file, then the pictures that it does not name; shapes are read when they are asked for."""
    file = _file(path)
    if file is None:
        raise InputError("label", f"{path} holds no annotations.xml. Wanted: {LAYOUT}.")
    index = _Index(file)
    pictures = _pictures(index.folder)
    rows = list(index.rows)
    if index.frames:
        rows = _framed(index, pictures)
    named = {f"{row.split}/{row.name}" for row in rows} | {row.name for row in rows}
    rows += [_Row(name, _split_of(name)) for name in pictures if name not in named]
    kind = None if not index.rows and not index.frames else Labels if index.tags else Objects
    name = (path if path.is_dir() else path.parent).resolve().name
    samples = _labels.Lazily(rows, index.sample)
    return Dataset(samples, name=name, names=index.names, kind=kind, details=index.details)


def _pictures(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in _walk.pictures(folder)] if folder.is_dir() else []


def _split_of(name: str) -> str | None:
    return _walk.SPLITS.get(name.split("/")[0].lower()) if "/" in name else None


def _framed(index: _Index, pictures: list[str]) -> list[_Row]:
    if index.rows:
        raise InputError("label", f"{index.file}: images and tracks in one file; export them apart.")
    last = max(index.frames)
    if last >= len(pictures):
        raise InputError("label", f"{index.file}: frame {last}, but {index.folder} holds {len(pictures)} pictures.")
    return [
        _Row(name, _split_of(name), frame=tuple(index.frames.get(number, ()))) for number, name in enumerate(pictures)
    ]


class _Index:
    """What one pass over the file shows: labels, where each image stands, and the things of tracks by frame."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.folder = file.parent / "images" if (file.parent / "images").is_dir() else file.parent
        self.rows: list[_Row] = []
        self.frames: dict[int, list[_labels.Thing]] = {}
        self.points: dict[str, list[str]] = {}
        self.details: dict[str, Any] = {}
        listed: dict[str, Any] = {}
        found: set[str] = set()
        shapes = False
        for node in _xml.elements(file, "annotations"):
            if node.tag == "meta":
                listed |= self._labels(node)
            elif node.tag == "image":
                self._image(node)
                found |= {child.given("label") for child in node.children}
                shapes = shapes or any(child.tag != "tag" for child in node.children)
            elif node.tag == "track":
                shapes = True
                found.add(node.given("label"))
                _cvat_shapes.tracked(node, self.frames)
        self.changed = file.stat().st_mtime_ns
        self.names = (*listed, *sorted(found.difference(listed)))
        self.tags = not shapes and bool(listed or found) and all(told == "tag" for told in listed.values())
        named = {name: points for name, points in self.points.items() if not is_made_up(points)}
        if named:
            self.details["keypoints"] = named
        mirrors = (twins for points in self.points.values() if (twins := mirrored(points)) is not None)
        self.mirror = next((tuple(twins) for twins in mirrors), None)

    def _labels(self, meta: Node) -> dict[str, Any]:
        """Names of labels with their types; what else is said of them goes to the details."""
        listed: dict[str, Any] = {}
        parents = [meta]
        for node in parents:
            parents += [child for child in node.children if child.tag != "label"]
            for label in node.all("label"):
                name, told = label.word("name"), plain(label)
                if told.get("parent"):
                    self.points.setdefault(told["parent"], []).append(name)
                    continue
                listed[name] = told.get("type")
                kept = {key: value for key, value in told.items() if key not in ("name", "type") and value}
                if kept:
                    self.details.setdefault("labels", {})[name] = kept
        return listed

    def _image(self, node: Node) -> None:
        inside(self.folder, node.given("name"), node.where)
        subset = node.attributes.get("subset", "")
        split = _walk.SPLITS.get(subset.lower())
        self.rows.append(_Row(node.given("name"), split, node.place, len(self.rows)))
        for skeleton in node.all("skeleton"):
            points = self.points.setdefault(skeleton.given("label"), [])
            points += [name for one in skeleton.children if (name := one.given("label")) not in points]

    def sample(self, row: _Row) -> Sample:
        """A picture with what the file says of it."""
        name = f"{row.split}/{row.name}"
        if row.split is None or not (self.folder / name).is_file():
            name = row.name
        image = FileImage(self.folder / name)
        if row.frame is not None:
            return Sample(name, (image,), _labels.gathered(row.frame, self.names), split=row.split)
        if row.place is None:
            return Sample(name, (image,), split=row.split)
        node = _xml.piece(self.file, row.place, self.changed)
        attributes: dict[str, Any] = {key: value for key, value in node.attributes.items() if key not in _IMAGE}
        if "subset" in node.attributes and row.split is None and node.attributes["subset"] != "default":
            attributes["subset"] = node.attributes["subset"]
        if "id" in node.attributes and node.attributes["id"] != str(row.number):
            attributes["id"] = _xml.as_whole(node.attributes["id"], "'id'", node.where)
        tags = {tag.given("label"): _cvat_shapes.attributes_of(tag) for tag in node.all("tag")}
        truth: Annotation = Labels(tuple(tags)) if self.tags else self._objects(node)
        tags = {key: value for key, value in tags.items() if value or not self.tags}
        if tags:
            attributes["tags"] = tags
        return Sample(name, (image,), truth, split=row.split, attributes=attributes)

    def _objects(self, node: Node) -> Objects:
        size = tuple(int(node.given_number(key, "0")) for key in ("height", "width"))
        shapes = [child for child in node.children if child.tag != "tag"]
        things = [_cvat_shapes.thing(child, (size[0], size[1]), self.points) for child in shapes]
        points = max(map(len, self.points.values()), default=0) if any(one.points is not None for one in things) else 0
        return _labels.gathered(things, self.names, points=points, mirror=self.mirror)


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Pictures under images, everything else in annotations.xml."""
    return _cvat_write.write(data, path, Lost("cvat") if lost is None else lost)
