"""COCO files: one object a line, images and what is annotated in them, one file a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.formats import _json, _labels, _rle, _writing
from sightline.formats._coco_names import made_up, mirrored
from sightline.formats._coco_read import united

_HELD = ("scores", "masks", "keypoints", "tracks", "texts", "outlines", "details")
_TAKEN = ("image_id", "category_id", "bbox", "segmentation", "outline", "iscrowd", "keypoints")  # no detail's own name
_COLUMNS = {"score": "score", "track": "track_id", "text": "utf8_string", "crowd": "iscrowd"}
_IMAGE = ("file_name", "width", "height", "labelled")
_WHOLE = ("images", "annotations", "categories", "parents", "keypoints", "skeleton")


@dataclass(slots=True)
class _File:
    """One file while it grows."""

    images: list[bytes] = field(default_factory=list)
    annotations: list[bytes] = field(default_factory=list)
    image_ids: set[int] = field(default_factory=set)
    annotation_ids: set[int] = field(default_factory=set)
    labelled: int = 0


class _Categories:
    """Ids of names, and what was seen of their key points."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        maps = {key: told.get(key) for key in _WHOLE[2:]}
        self.told: dict[str, Mapping[str, Any]] = {
            key: value if isinstance(value, Mapping) else {} for key, value in maps.items()
        }
        self.vocabulary = _labels.Vocabulary()
        self.ids: dict[str, int] = {}
        self.points: dict[str, int] = {}
        self.mirror: tuple[int, ...] | None = None

    def add(self, names: Any) -> None:
        """Give every new name an id: the one that it came with, or its place in the list."""
        self.vocabulary.add(names)
        for place, name in enumerate(self.vocabulary.names):
            if name not in self.ids:
                kept = self.told["categories"].get(name, {}).get("id")
                wanted = kept if type(kept) is int else place + 1
                self.ids[name] = _free(wanted, set(self.ids.values()))

    def rows(self) -> list[dict[str, Any]]:
        """The categories as COCO says them."""
        rows = []
        for name in self.vocabulary.names:
            kept = {**self.told["categories"].get(name, {}), "id": self.ids[name], "name": name}
            parent = self.told["parents"].get(name)
            row = {"id": kept.pop("id"), "name": name, "supercategory": parent or "", **kept}
            points = self.told["keypoints"].get(name)
            if name in self.points or points:
                count = self.points.get(name, 0)
                told = points is not None and len(points) >= count
                named = [str(point) for point in points or ()] if told else made_up(count, self.mirror)
                pairs = self.told["skeleton"].get(name, [])
                row |= {"keypoints": named, "skeleton": [[a + 1, b + 1] for a, b in pairs]}
                if self.mirror is not None and list(self.mirror) != mirrored(named) and len(self.mirror) == len(named):
                    row["mirror"] = list(self.mirror)
            rows.append(row)
        return rows


def _free(wanted: int, taken: set[int]) -> int:
    return wanted if wanted not in taken else max(taken) + 1


def write(data: Dataset, path: Path, lost: Lost) -> Path:
    """Pictures under images, labels under annotations."""
    taken: set[str] = set()
    files: dict[str | None, _File] = {}
    categories = _Categories(data.details)
    categories.add(data._names or ())
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given"):
                continue
            split = sample.split
            if split is not None and split not in SIDES:
                lost.drop(sample.id, f"split, which must be one of {', '.join(SIDES)}")
                split = None
            encoded = sample.image.encoded()
            within = f"images/{split}" if split else "images"
            name = _writing.place_of(sample, _writing.suffix_of(encoded, sample.image), taken, within)
            _writing.store(folder / name, encoded)
            file = files.setdefault(split, _File())
            _add(sample, name[len(within) + 1 :], _labels.size_of(encoded, sample.id), file, categories, lost)
        _writing.refuse_nothing(len(taken), data, lost)
        for split, file in files.items():
            name = f"instances_{split}.json" if split else "instances.json"
            _writing.store(folder / "annotations" / name, _page(data, split, file, categories, lost))
    return path


def _page(data: Dataset, split: str | None, file: _File, categories: _Categories, lost: Lost) -> bytes:
    told = {}
    for key, value in data.details.items():
        plain = key.removesuffix(f" ({split})")
        if plain in _WHOLE[:2] or (key in _WHOLE and not isinstance(value, Mapping)):
            lost.drop(data.name, f"'{key}' of the whole")
        elif key not in _WHOLE and (plain != key or f"{key} ({split})" not in data.details):
            told[plain] = value
    parts = [
        _json.dump(key, "a key") + b": " + _json.dump(value, f"'{key}' of the data set") for key, value in told.items()
    ]
    lists = {"images": file.images, "annotations": file.annotations if file.labelled else None}
    lists["categories"] = [_json.dump(row, "a category") for row in categories.rows()]
    for key, rows in lists.items():
        if rows is not None:
            parts.append(f'"{key}": ['.encode() + (b"\n" + b",\n".join(rows) + b"\n" if rows else b"") + b"]")
    return b"{\n" + b",\n".join(parts) + b"\n}\n"


def _add(
    sample: Sample, name: str, size: _labels.Size | None, file: _File, categories: _Categories, lost: Lost
) -> None:
    """One image and its annotations."""
    attributes = dict(sample.attributes)
    wanted = attributes.pop("id", None)
    number = _free(wanted if type(wanted) is int else len(file.images) + 1, file.image_ids)
    if wanted is not None and number != wanted:
        lost.drop(sample.id, "attribute 'id'")
    file.image_ids.add(number)
    row: dict[str, Any] = {"id": number, "file_name": name}
    row |= {"width": size[1], "height": size[0]} if size else {}
    for key, value in attributes.items():
        if key in _IMAGE:
            lost.drop(sample.id, f"attribute '{key}'")
        else:
            row[key] = value
    truth = _labels.objects_of(sample, lost, _HELD)
    if truth is None:
        row["labelled"] = False
    else:
        file.labelled += 1
        categories.add(truth.names)
        names = [truth.names[place] for place in truth.classes.tolist()]
        if truth.keypoints is not None:
            categories.points |= dict.fromkeys(names, truth.keypoints.shape[1])
            categories.mirror = categories.mirror or truth.mirror
        for place, named in enumerate(names):
            made = _annotation(sample.id, truth, place, size, lost)
            kept = made.pop("id", None)
            identity = _free(kept if type(kept) is int else len(file.annotations) + 1, file.annotation_ids)
            if kept is not None and kept != identity:
                lost.drop(sample.id, "'id' of objects")
            file.annotation_ids.add(identity)
            made = {"id": identity, "image_id": number, "category_id": categories.ids[named], **made}
            file.annotations.append(_json.dump(made, sample.id))
    file.images.append(_json.dump(row, sample.id))


def _annotation(sample: str, truth: Objects, row: int, size: _labels.Size | None, lost: Lost) -> dict[str, Any]:
    told = _labels.details_of(truth, row, sample, lost, None)
    x0, y0, x1, y1 = _labels.right_way(truth.boxes[row], sample, lost).tolist()
    made: dict[str, Any] = {
        "bbox": [_labels.short(x0), _labels.short(y0), _labels.extent(x0, x1), _labels.extent(y0, y1)]
    }
    mask = truth.masks[row] if truth.masks is not None else None
    rings = truth.outlines[row] if truth.outlines is not None else ()
    made |= _area(mask, rings, told.pop("mask", None) is True, size, sample, lost)
    if "area" not in made:
        made["area"] = (x1 - x0) * (y1 - y0)
    made["iscrowd"] = int(told.pop("crowd", False) is True)
    if truth.keypoints is not None:
        points = truth.keypoints[row]
        made["keypoints"] = _labels.flat(points)
        made["num_keypoints"] = int((points[:, 2] > 0).sum())
    if truth.scores is not None:
        made["score"] = _labels.short(truth.scores[row])
    if truth.tracks is not None:
        made["track_id"] = int(truth.tracks[row])
    if truth.texts is not None:
        made["utf8_string"] = truth.texts[row]
    for key, value in told.items():
        if key in _TAKEN or (key in ("score", "track", "text") and _COLUMNS[key] in made):
            lost.drop(sample, f"'{key}' of objects")
        else:
            made[_COLUMNS.get(key, key)] = value
    return made


def _area(
    mask: np.ndarray | None,
    rings: tuple[np.ndarray, ...],
    traced: bool,
    size: _labels.Size | None,
    sample: str,
    lost: Lost,
) -> dict[str, Any]:
    """Segmentation and area, so that every reader of COCO sees the same pixels, and this one the same points."""
    if mask is not None:
        if rings:
            lost.drop(sample, "outlines beside masks")
        if mask.ndim == 2:
            return {"segmentation": _rle.to_coco(mask), "area": int(mask.sum())}
        lost.drop(sample, "masks of volumes")
    if not rings:
        return {}
    area = geometry.rings_area(rings)
    flat = [_labels.flat(ring) for ring in rings]
    if united(rings) is rings and not traced:
        return {"segmentation": flat, "area": area}
    if size is None:
        lost.drop(sample, "outlines with holes in a picture that cannot be read")
        return {}
    filled = geometry.fill(rings, size)
    return {"segmentation": _rle.to_coco(filled), "area": int(filled.sum())} | (
        {} if traced else {"outline": flat, "area": area}
    )
