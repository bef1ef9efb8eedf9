"""LabelMe: one JSON file beside each picture, with polygons, rectangles, circles, lines, points and masks.

A picture without a JSON file is unlabelled. Lines, points and circles have the box around them, and keep their points
with their details. Keys that LabelMe does not know are kept, as LabelMe itself does.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.dataset import SIDES, Dataset
from sightline.core.errors import InputError
from sightline.core.image import LARGEST_FILE, BytesImage, FileImage, Image, encode, read_image
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.core.task import Fit
from sightline.formats import _json, _labels, _walk, _writing
from sightline.formats._paths import inside, whole

LAYOUT = 'photos/1.jpg photos/1.json with {"shapes": [{"label": "cat", "shape_type": "polygon", "points": ...}]}'
_VERSION = "5.5.0"
_FEWEST = {"polygon": 3, "rectangle": 2, "circle": 2, "line": 2, "linestrip": 2, "point": 1, "points": 1, "mask": 2}
_FLAGS = ("crowd", "difficult", "occluded", "truncated")
_SHAPE = ("label", "points", "group_id", "description", "shape_type", "flags", "mask", "score", "track", "box")
_TAKEN = ("label", "group_id", "description", "shape_type", "box")  # keys of a shape that no detail may have
_PAGE = ("version", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth")
_HELD = ("masks", "outlines", "scores", "tracks", "texts", "details")
_IGNORED = ("__ignore__", "_background_")


@dataclass(frozen=True, slots=True)
class _Row:
    """One picture, or one JSON file that brings its picture."""

    id: str
    labels: Path | None
    split: str | None


def sniff(path: Path) -> Fit:
    """Natural where a JSON file beside pictures says shapes and the picture that they belong to."""
    if not path.is_dir():
        return Fit(0, "not a folder")
    files = _labels.few_files(path, ".json")
    ends = [_labels.ends_of(file, 8192) for file in files]
    if any(b'"shapes"' in end and (b'"imagePath"' in end or b'"imageHeight"' in end) for end in ends):
        return Fit(2, "JSON files with shapes beside the pictures")
    listed = path / "labels.txt"
    if not files and listed.is_file() and _labels.ends_of(listed, 100).startswith(b"__ignore__\n"):
        return Fit(2, "pictures beside a list of LabelMe's labels")
    return Fit(0, "no JSON files with shapes")


def read(path: Path) -> Dataset:
    """Every picture at any depth with the shapes beside it; names are collected once, shapes read when asked for."""
    if not path.is_dir():
        raise InputError("label", f"{path} is not a folder. Wanted: {LAYOUT}.")
    labels = {_stem(file, path): file for file in sorted(path.rglob("*.json")) if not file.name.startswith(".")}
    pages = {stem: _page(file) for stem, file in labels.items()}
    found = {_json.text(shape.get("label"), "'label'", where) for where, shape in _shapes(pages.values())}
    parted: dict[str, str] = {}
    rows: dict[str, _Row] = {}
    pictures = [file.relative_to(path).as_posix() for file in _walk.pictures(path)]
    beside = {name: labels.get(name.rpartition(".")[0]) for name in pictures}
    for stem, file in labels.items():
        if file not in beside.values():
            beside[(Path(stem).parent / _named(pages[stem], file)).as_posix()] = file
    parted = _labels.sides_of(list(beside))
    for name, labelled in sorted(beside.items()):
        rows[name] = _Row(name, labelled, parted.get(name.split("/")[0]))
    listed = path / "labels.txt"
    told = _labels.names_in(listed) if listed.is_file() else []
    names = [name for name in told if name not in _IGNORED or name in found]
    every = (*names, *sorted(found.difference(names)))
    del pages
    kind = Objects if labels else None
    samples = _labels.Lazily(list(rows.values()), lambda row: _sample(row, path, every))
    return Dataset(samples, name=path.resolve().name, names=every, kind=kind)


def _stem(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _page(file: Path) -> dict[str, Any]:
    """A JSON file without its embedded picture."""
    page = dict(_json.table(_json.parse(whole(file, LARGEST_FILE), str(file)), "a file of LabelMe", str(file)))
    page["shapes"] = _json.rows(page.get("shapes"), "'shapes'", str(file))
    page["where"] = str(file)
    page["imageData"] = page.get("imageData") is not None
    return page


def _shapes(pages: Any) -> list[tuple[str, Mapping[str, Any]]]:
    found = []
    for page in pages:
        for number, shape in enumerate(page["shapes"]):
            where = f"{page['where']} shape {number}"
            found.append((where, _json.table(shape, "a shape", where)))
    return found


def _named(page: Mapping[str, Any], file: Path) -> str:
    """The picture that a JSON file names, in the file's own folder."""
    name = page.get("imagePath") or file.with_suffix(".png").name
    inside(file.parent, name, f"{file}: 'imagePath'")
    return str(name).replace("\\", "/")


def _sample(row: _Row, path: Path, names: tuple[str, ...]) -> Sample:
    picture = path / row.id
    if row.labels is None:
        return Sample(row.id, (FileImage(picture),), split=row.split)
    where = str(row.labels)
    page = _json.table(_json.parse(whole(row.labels, LARGEST_FILE), where), "a file of LabelMe", where)
    image: Image = FileImage(picture)
    if not picture.is_file() and page.get("imageData"):
        image = BytesImage(_bytes(page["imageData"], f"{where}: 'imageData'"), row.id)
    size = tuple(page.get(key) for key in ("imageHeight", "imageWidth"))
    things = [_thing(shape, size, at) for at, shape in _shapes([{**page, "where": where}])]
    if not {thing.name for thing in things} <= set(names):
        raise InputError("corrupt", f"{where} changed after it was opened; open it again.")
    attributes = {key: value for key, value in page.items() if key not in _PAGE and not (key == "flags" and not value)}
    return Sample(row.id, (image,), _labels.gathered(things, names), split=row.split, attributes=attributes)


def _bytes(value: Any, where: str) -> bytes:
    try:
        return base64.b64decode(_json.text(value, "base64", where), validate=True)
    except ValueError as error:
        raise InputError("label", f"{where}: not base64 ({error}).") from error


def _thing(shape: Mapping[str, Any], size: Any, where: str) -> _labels.Thing:
    kind = shape.get("shape_type", "polygon")
    if not isinstance(kind, str) or kind not in _FEWEST:
        raise InputError("label", f"{where}: no shape is called {str(kind)[:40]!r}; known are {', '.join(_FEWEST)}.")
    points = _points(shape.get("points"), kind, where)
    thing = _labels.Thing(_json.text(shape.get("label"), "'label'", where), _box(kind, points))
    thing.details = {key: value for key, value in shape.items() if key not in _SHAPE}
    if kind == "polygon":
        thing.rings = (points.astype(np.float32),)
        thing.box = geometry.rings_bounds(thing.rings).tolist()
    elif kind == "mask":
        thing.mask = _mask(shape.get("mask"), points, size, where)
    elif kind != "rectangle":
        thing.details |= {"shape": kind, "points": points.tolist()}
    if shape.get("box") is not None:
        thing.box = _json.numbers(shape["box"], "'box'", where, each=4, least=1)[0].tolist()
    flags = dict(_json.table(shape.get("flags") or {}, "'flags'", where))
    thing.details |= {key: flags.pop(key) for key in _FLAGS if flags.get(key) is True}
    if flags:
        thing.details["flags"] = flags
    if shape.get("group_id") is not None:
        thing.details["group"] = shape["group_id"]
    if shape.get("description"):
        thing.text = _json.text(shape["description"], "'description'", where)
    if shape.get("score") is not None:
        thing.score = _json.number(shape["score"], "'score'", where)
    if shape.get("track") is not None:
        thing.track = _json.whole(shape["track"], "'track'", where)
    return thing


def _points(value: Any, kind: str, where: str) -> np.ndarray:
    pairs = [_json.numbers(pair, "a point", where, each=2, least=1) for pair in _json.rows(value, "'points'", where)]
    if len(pairs) < _FEWEST[kind] or any(len(pair) != 1 for pair in pairs):
        raise InputError("label", f"{where}: a {kind} has {_FEWEST[kind]} points or more, each an x and a y.")
    return np.concatenate(pairs)


def _box(kind: str, points: np.ndarray) -> list[float]:
    if kind == "circle":
        away = float(np.hypot(*(points[1] - points[0])))
        return [*(points[0] - away).tolist(), *(points[0] + away).tolist()]
    extra = 1 if kind == "mask" else 0  # the last pixel of a mask is inside
    return [*points.min(0).tolist(), *(points.max(0) + extra).tolist()]


def _mask(value: Any, points: np.ndarray, size: Any, where: str) -> np.ndarray:
    pixels = read_image(_bytes(value, f"{where}: 'mask'"), name=f"{where}: 'mask'")[..., 0] > 0
    rows, columns = (_json.whole(length, "the size of the picture", where) for length in size)
    left, top = np.floor(points.min(0)).astype(int).tolist()
    if (
        left < 0
        or top < 0
        or top + pixels.shape[0] > rows
        or left + pixels.shape[1] > columns
        or rows * columns > 2**28
    ):
        raise InputError("label", f"{where}: a mask of {pixels.shape} at {left}, {top} leads outside the picture.")
    mask = np.zeros((rows, columns), bool)
    mask[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return mask


def write(data: Dataset, path: Path, *, lost: Lost | None = None) -> Path:
    """Boxes, outlines of one ring and masks, with all that is said of them; names go to labels.txt."""
    lost = _writing.strict(lost, "labelme")
    taken: set[str] = set()
    stems: set[str] = set()
    vocabulary = _labels.Vocabulary()
    vocabulary.add(data._names or ())
    _labels.whole_details(data, lost)
    parted = _writing.splits_of(data, lost, SIDES)
    with _writing.appearing(path) as folder:
        for sample in data:
            if not _writing.holds(sample, lost, "group", "given"):
                continue
            encoded = sample.image.encoded()
            suffix = _writing.suffix_of(encoded, sample.image)
            name = _labels.placed(sample, suffix, taken, stems, str(sample.split) if parted else "")
            _writing.store(folder / name, encoded)
            truth = _labels.objects_of(sample, lost, _HELD)
            if truth is None:
                _writing.holds(sample, lost, "attributes")
                continue
            vocabulary.add(truth.names)
            page = _written(sample, truth, Path(name).name, _labels.size_of(encoded, sample.id), lost)
            _writing.store(folder / f"{name[: -len(suffix)]}.json", page)
        _writing.refuse_nothing(len(stems), data, lost)
        names = [name for name in vocabulary.names if name not in _IGNORED]
        _writing.store(folder / "labels.txt", b"__ignore__\n" + _labels.names_out(names, "labelme"))
    return path


def _written(sample: Sample, truth: Objects, name: str, size: _labels.Size | None, lost: Lost) -> bytes:
    page: dict[str, Any] = {"version": _VERSION, "flags": {}}
    page["shapes"] = [_shape(sample, truth, row, size, lost) for row in range(len(truth))]
    page |= {"imagePath": name, "imageData": None}
    page |= {"imageHeight": size[0] if size else None, "imageWidth": size[1] if size else None}
    for key, value in sample.attributes.items():
        if key in _PAGE or (key == "flags" and not isinstance(value, Mapping)):
            lost.drop(sample.id, f"attribute '{key}'")
        else:
            page[key] = value
    return _json.dump(page, sample.id)


def _shape(sample: Sample, truth: Objects, row: int, size: _labels.Size | None, lost: Lost) -> dict[str, Any]:
    told = _labels.details_of(truth, row, sample.id, lost, None)
    for key in [key for key in told if key in _TAKEN]:
        lost.drop(sample.id, f"'{key}' of objects")
        del told[key]
    flags = dict(told.pop("flags", {}))
    flags |= {key: told.pop(key) for key in _FLAGS if told.get(key) is True}
    shape: dict[str, Any] = {
        "label": truth.names[truth.classes[row]],
        "flags": flags,
        "group_id": told.pop("group", None),
    }
    text = truth.texts[row] if truth.texts is not None else told.pop("text", None)
    if text == "":
        lost.drop(sample.id, "empty texts")
    shape |= {"description": text or "", **_area(sample, truth, row, told, size, lost)}
    if truth.scores is not None:
        shape["score"] = _labels.short(truth.scores[row])
    if truth.tracks is not None:
        shape["track"] = int(truth.tracks[row])
    return {**shape, **told}


def _area(
    sample: Sample, truth: Objects, row: int, told: dict[str, Any], size: _labels.Size | None, lost: Lost
) -> dict[str, Any]:
    """Shape, points and mask; the box too where they do not say it."""
    box = truth.boxes[row]
    rings = truth.outlines[row] if truth.outlines is not None else ()
    mask = truth.masks[row] if truth.masks is not None else None
    traced = told.pop("mask", None) is True
    kind, points = told.pop("shape", None), told.pop("points", None)
    if mask is not None and size is not None and mask.shape != size:
        lost.drop(sample.id, "masks of another size than the picture")
        mask = None
    if mask is not None and rings:
        lost.drop(sample.id, "outlines beside masks")
    elif mask is None and len(rings) > 1 and not (traced and size):
        lost.drop(sample.id, "outlines of several rings, other than as masks")
    if mask is None and rings and (traced or len(rings) > 1):
        mask = geometry.fill(rings, size or (0, 0))
    if mask is not None and mask.any():
        return _masked(mask, box)
    if mask is not None:
        lost.drop(sample.id, "masks without a pixel")
    elif len(rings) == 1 and len(rings[0]) > 2:
        made: dict[str, Any] = {"shape_type": "polygon", "points": [_labels.flat(point) for point in rings[0]]}
        return made if (geometry.rings_bounds(rings) == box).all() else {**made, "box": _labels.flat(box)}
    elif kind in _FEWEST and np.array_equal(np.array(_box(kind, np.array(points)), np.float32), box):
        return {"shape_type": kind, "points": points}
    if (box[:2] > box[2:]).any():
        return {
            "shape_type": "rectangle",
            "points": [_labels.flat(box[:2]), _labels.flat(box[2:])],
            "box": _labels.flat(box),
        }
    return {"shape_type": "rectangle", "points": [_labels.flat(box[:2]), _labels.flat(box[2:])]}


def _masked(mask: np.ndarray, box: np.ndarray) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = (int(value) for value in (rows[0], rows[-1], columns[0], columns[-1]))
    cut = encode(np.ascontiguousarray(mask[top : bottom + 1, left : right + 1, None]).astype(np.uint8) * 255)
    made: dict[str, Any] = {"shape_type": "mask", "points": [[left, top], [right, bottom]]}
    made["mask"] = base64.b64encode(cut).decode()
    around = [left, top, right + 1, bottom + 1]
    return made if box.tolist() == around else {**made, "box": _labels.flat(box)}
