"""Samples of COCO files: an index of numbers and places, and records that are built when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Annotation, Objects
from sightline.core.errors import InputError
from sightline.core.image import FileImage, read_image
from sightline.core.sample import Sample
from sightline.formats import _json, _labels, _rle
from sightline.formats._arrays import deferred
from sightline.formats._coco_index import Source
from sightline.formats._paths import inside

_IMAGE = ("file_name", "width", "height", "labelled")
_ANNOTATION = (
    "id", "image_id", "category_id", "bbox", "segmentation", "outline", "area", "iscrowd", "keypoints", "num_keypoints",
    "score", "track_id", "utf8_string",
)  # fmt: skip


class Samples(Sequence[Sample]):
    """The images of all files, one after the other."""

    def __init__(self, sources: list[Source], rows: Sequence[int] | None = None) -> None:
        self.sources = sources
        self.ends = np.cumsum([len(source.images) for source in sources])
        self.rows: Sequence[int] = range(int(self.ends[-1])) if rows is None else rows
        names = {name: None for source in sources for name in source.categories.names.values()}
        self.names = tuple(names)

    @property
    def details(self) -> dict[str, Any]:
        """What the files say of the whole; where they differ, each under the name of its split."""
        told: dict[str, Any] = {}
        for source in self.sources:
            for key, value in source.categories.details.items():
                if value:
                    told[key] = {**told.get(key, {}), **value}
            for key, value in source.told.items():
                told[key if told.get(key, value) == value else f"{key} ({source.split})"] = value
        return told

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Samples(self.sources, self.rows[index])
        row = self.rows[index]
        place = int(np.searchsorted(self.ends, row, "right"))
        source = self.sources[place]
        return self._sample(source, row - (int(self.ends[place - 1]) if place else 0))

    def column(self, field: str) -> Sequence[Any]:
        """The "id", "split", "group" or "names" of every sample, from the index and the names of files alone."""
        if field == "group":
            return [None] * len(self)
        if field not in ("id", "split", "names") or (field == "names" and any(one.panoptic for one in self.sources)):
            return _labels.column_of(self, field)
        asked: dict[str, Callable[[Source], list[Any]]] = {"id": Source.ids, "split": Source.splits}
        whole = [value for source in self.sources for value in asked.get(field, Source.names)(source)]
        return whole if self.rows == range(len(whole)) else [whole[row] for row in self.rows]

    def _sample(self, source: Source, row: int) -> Sample:
        try:
            with source.file.open("rb") as opened:
                if os.fstat(opened.fileno()).st_mtime_ns != source.changed:
                    raise InputError("corrupt", f"{source.file} changed after it was opened; open it again.")
                image = source.built(source.images, row, opened)
                places = np.sort(source.order[source.low[row] : source.high[row]]).tolist()
                annotations = [(place, source.built(source.annotations, place, opened)) for place in places]
        except OSError as error:
            raise InputError("missing", f"{source.file}: {error.strerror or error}.") from error
        place = int(source.images.starts[row])
        try:
            path = inside(source.root, image.get("file_name"), str(source.file))
        except InputError as error:
            raise source.at(place, error) from error
        attributes = {key: value for key, value in image.items() if key not in _IMAGE}
        if attributes.get("id") == row + 1:
            del attributes["id"]
        name = source.called(image["file_name"])
        labelled = source.labelled and image.get("labelled") is not False
        truth = self._truth(source, annotations) if labelled else None
        return Sample(name, (FileImage(path),), truth, split=source.split, attributes=attributes)

    def _truth(self, source: Source, annotations: list[tuple[int, dict[str, Any]]]) -> Annotation:
        things, masks = [], []
        for place, row in annotations:
            start = int(source.annotations.starts[place])
            try:
                if source.panoptic:
                    segments = _json.rows(row.get("segments_info"), "'segments_info'", str(source.file))
                    things += [_segment(segment, source, str(source.file)) for segment in segments]
                    masks = [partial(_panoptic, source, row, start)]
                else:
                    thing, mask = _thing(row, place, source, str(source.file))
                    things.append(thing)
                    masks += [mask] if mask is not None else []
            except InputError as error:
                raise source.at(start, error) from error
        kinds = source.categories
        lazy = bool(masks) and (source.panoptic or len(masks) == len(things)) and len(things) > 0
        for thing in things if lazy else ():
            thing.details.pop("mask", None)
        if not lazy:
            _traced(things, masks)
        points = kinds.most if any(thing.points is not None for thing in things) else 0
        record = _labels.gathered(things, self.names, points=points, mirror=kinds.mirror)
        if not lazy:
            return record
        parts = {name: getattr(record, name) for name in Objects.__dataclass_fields__ if name != "masks"}
        parts.pop("tolerance", None)

        def looked() -> Annotation:
            found = masks[0]() if source.panoptic else np.stack([mask() for mask in masks])
            return Objects(**parts, masks=found)

        return deferred("objects", parts, looked)


def _traced(things: list[_labels.Thing], masks: list[Any]) -> None:
    """Run-length masks among outlines become outlines of their pixels."""
    waiting = iter(masks)
    for thing in things:
        if thing.details.get("mask"):
            thing.rings = geometry.trace(next(waiting)())


def _thing(row: Mapping[str, Any], place: int, source: Source, where: str) -> tuple[_labels.Thing, Any]:
    number = _json.whole(row.get("category_id"), "'category_id'", where)
    if number not in source.categories.names:
        raise InputError("label", f"{where}: no category has the id {number}.")
    name = source.categories.names[number]
    thing = _labels.Thing(name, ())
    thing.details = {key: value for key, value in row.items() if key not in _ANNOTATION}
    mask = _area(row, thing, where)
    if row.get("keypoints") is not None:
        thing.points = _json.numbers(row["keypoints"], "'keypoints'", where, each=3)
        if name in source.categories.points and len(thing.points) != len(source.categories.points[name]):
            raise InputError("label", f"{where}: {len(thing.points)} key points; '{name[:60]}' has others.")
        if row.get("num_keypoints", count := int((thing.points[:, 2] > 0).sum())) != count:
            thing.details["num_keypoints"] = row["num_keypoints"]
    thing.box = _box(row.get("bbox"), thing, mask, where)
    if row.get("id") is not None and row["id"] != place + 1:
        thing.details["id"] = row["id"]
    if _json.whole(row.get("iscrowd", 0), "'iscrowd'", where):
        thing.details["crowd"] = True
    if row.get("area") is not None:
        area = _json.number(row["area"], "'area'", where)
        if not np.isclose(area, area_of(thing.rings, thing.box, row, where), 1e-5, 1e-9):
            thing.details["area"] = row["area"]
    if row.get("score") is not None:
        thing.score = _json.number(row["score"], "'score'", where)
    if row.get("track_id") is not None:
        thing.track = _json.whole(row["track_id"], "'track_id'", where)
    if row.get("utf8_string") is not None:
        thing.text = row["utf8_string"] if row["utf8_string"] == "" else _json.text(row["utf8_string"], "text", where)
    return thing, mask


def area_of(rings: tuple[np.ndarray, ...], box: Sequence[float], row: Mapping[str, Any], where: str) -> float:
    """The pixels of the runs, what is inside the outline, or else the box."""
    if not rings and isinstance(row.get("segmentation"), dict):
        return float(_rle.runs_of(row["segmentation"], where)[0][1::2].sum())
    return geometry.rings_area(rings) if rings else (box[2] - box[0]) * (box[3] - box[1])


def _segment(row: Any, source: Source, where: str) -> _labels.Thing:
    """One segment of a panoptic map; its id is what the map's pixels say."""
    row = _json.table(row, "a segment", where)
    thing, _ = _thing({**row, "segmentation": None, "area": None}, -2, source, where)
    thing.details["id"] = _json.whole(row.get("id"), "'id' of a segment", where)
    return thing


def _panoptic(source: Source, row: Mapping[str, Any], place: int) -> np.ndarray:
    """The masks of all segments, read from the map when somebody looks."""
    folder = source.file.with_suffix("")
    try:
        file = inside(folder, row.get("file_name"), str(source.file))
        pixels = read_image(file)
        if pixels.dtype != np.uint8 or pixels.shape[-1] != 3:
            raise InputError("label", f"{file}: a panoptic map has three channels of eight bits.")
    except InputError as error:
        raise source.at(place, error) from error
    numbers = pixels.astype(np.int64) @ np.array([1, 256, 65536])
    return np.stack([numbers == segment["id"] for segment in row["segments_info"]])


def _area(row: Mapping[str, Any], thing: _labels.Thing, where: str) -> Any:
    """The rings of a thing, or how its mask is made when somebody looks."""
    value = row.get("segmentation")
    if row.get("outline") is not None:
        thing.rings = _rings(row["outline"], "'outline'", where)
    elif isinstance(value, dict):
        thing.details["mask"] = True
        return partial(_rle.from_coco, value, where)
    elif value:
        thing.rings = united(_rings(value, "'segmentation'", where))
    return None


def _rings(value: Any, what: str, where: str) -> tuple[np.ndarray, ...]:
    rows = [_json.numbers(ring, what, where, each=2, least=1) for ring in _json.rows(value, what, where)]
    return tuple(row.astype(np.float32) for row in rows)


def united(rings: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Parts that overlap count once; parts that do not keep their points."""
    if len(rings) < 2:
        return rings
    bounds = np.stack([geometry.rings_bounds((ring,)) for ring in rings])
    shared, _ = geometry.overlap(bounds, bounds)
    if not np.triu(shared, 1).any():
        return rings
    low = np.floor(bounds[:, :2].min(0))
    columns, rows = (np.ceil(bounds[:, 2:].max(0) - low) + 1).astype(int).tolist()
    if rows * columns > 10**8:
        return rings
    count = np.zeros((rows, columns), np.int32)
    for ring in rings:
        count += geometry.fill((ring - low,), (rows, columns))
    if count.max(initial=0) < 2:
        return rings
    return tuple((ring + low).astype(np.float32) for ring in geometry.trace(count > 0))


def _box(value: Any, thing: _labels.Thing, mask: Any, where: str) -> list[float]:
    if value is not None:
        x, y, width, height = _json.numbers(value, "'bbox'", where, each=4, least=1)[0].tolist()
        if width < 0 or height < 0:
            raise InputError("label", f"{where}: a 'bbox' of {width} x {height}.")
        return [float(np.float32(value)) for value in (x, y, x + width, y + height)]
    if mask is not None:
        return _around(geometry.trace(mask()))
    if thing.rings:
        return _around(thing.rings)
    points = thing.points if thing.points is not None else np.zeros((0, 3))
    seen = points[points[:, 2] > 0, :2]
    if not len(seen):
        raise InputError("label", f"{where}: a thing without 'bbox', 'segmentation' or key points.")
    return _around((seen,))


def _around(rings: tuple[np.ndarray, ...]) -> list[float]:
    return [float(value) for value in geometry.rings_bounds(rings)]
