"""LabelMe: every shape, embedded pictures, keys of its users, and JSON that may be anything."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.core.lost import Lost
from sightline.formats import labelme
from tests.formats.rounds import MASKS, RINGS, edited, only_typed_errors, round_trip, samples, things

DETAILS: tuple[dict[str, Any], ...] = (
    {"group": 3, "flags": {"blurred": True, "occluded": False}, "difficult": True},
    {"shape": "circle", "points": [[3.5, 4.5], [3.5, 9.5]], "text": "x"},
    {"crowd": True, "my key": {"a": [1, None]}},
)


def everything() -> Dataset:
    circle = things(details=DETAILS, boxes=np.array([[1, 2, 3, 4], [-1.5, -0.5, 8.5, 9.5], [0, 0, 0, 0.1]], np.float32))
    scored = things(
        outlines=(*RINGS[:2], ()), scores=np.array([0.1, 1, 0], np.float32), tracks=np.array([5, 5, -1]),
        texts=("ä", "b\n", "c"),
    )  # fmt: skip
    data = samples(circle, scored, None, things(masks=MASKS), things(boxes=things().boxes[:, [2, 3, 0, 1]]))
    rows = [replace(one, split="train" if n % 2 else "val") for n, one in enumerate(data)]
    rows = [replace(one, id=f"{one.split}/{one.id}") for one in rows]
    rows[0] = replace(rows[0], attributes={"flags": {"good": True}, "site": [1, {"a": None}]})
    return Dataset(sorted(rows, key=lambda one: one.id), names=things().names)


def test_all_that_it_holds_comes_back(tmp_path: Path) -> None:
    round_trip(labelme, everything(), tmp_path / "new")


def test_pictures_alone_and_names_alone(tmp_path: Path) -> None:
    round_trip(labelme, samples(None, None), tmp_path / "pictures")
    empty = things().take([])
    back = labelme.read(labelme.write(samples(empty), tmp_path / "empty"))
    assert (len(back[0].truth), back.names) == (0, empty.names)  # type: ignore[arg-type]


def shapes(folder: Path, *rows: dict[str, Any], **page: Any) -> Path:
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"version": "5", "shapes": rows, "imagePath": "a.png", **page}))
    return folder


def test_shapes_as_people_draw_them(tmp_path: Path) -> None:
    mask = base64.b64encode(encode(np.array([[[255], [0]], [[255], [255]]], np.uint8))).decode()
    rows = [
        {"label": "b", "points": [[3, 4], [1, 2]], "shape_type": "rectangle"},
        {"label": "a", "points": [[1, 1], [4, 1], [4, 4.5]], "group_id": None, "flags": {}, "description": None},
        {"label": "a", "points": [[5, 5], [8, 9]], "shape_type": "circle"},
        {"label": "a", "points": [[5, 5]], "shape_type": "point"},
        {"label": "a", "points": [[2, 1], [3, 2]], "shape_type": "mask", "mask": mask},
    ]
    picture = base64.b64encode(encode(np.full((9, 8, 3), 7, np.uint8))).decode()
    data = open_data(shapes(tmp_path / "new", *rows, imageData=picture, imageHeight=9, imageWidth=8))
    truth = data[0].truth
    assert isinstance(truth, Objects)
    assert data[0].pixels().tolist() == np.full((9, 8, 3), 7).tolist(), "the embedded picture serves where no file is"
    assert truth.names == ("a", "b")
    assert truth.boxes.tolist() == [[1, 2, 3, 4], [1, 1, 4, 4.5], [0, 0, 10, 10], [5, 5, 5, 5], [2, 1, 4, 3]]
    assert truth.outlines is not None
    assert [len(rings) for rings in truth.outlines] == [0, 1, 0, 0, 1]
    drawn = truth.shapes((9, 8))[4]
    assert np.argwhere(drawn).tolist() == [[1, 2], [2, 2], [2, 3]]
    assert truth.details is not None
    assert truth.details[2] == {"shape": "circle", "points": [[5, 5], [8, 9]]}
    again = labelme.read(labelme.write(data, tmp_path / "again"))
    assert json.loads((tmp_path / "again/a.json").read_text())["shapes"][2]["points"] == [[5, 5], [8, 9]]
    assert again.fingerprint == data.fingerprint


def test_a_circle_that_was_moved_is_written_where_it_is(tmp_path: Path) -> None:
    details = ({"shape": "circle", "points": [[5, 5], [8, 9]]}, {}, {})
    back = labelme.read(labelme.write(samples(things(details=details)), tmp_path / "new"))
    np.testing.assert_array_equal(back[0].truth.boxes, things().boxes)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"label": 3}, "'label' must be a string"),
        ({"shape_type": "star"}, "no shape is called 'star'"),
        ({"shape_type": []}, "no shape is called"),
        ({"points": [[1, 2]]}, "a polygon has 3 points or more"),
        ({"points": [[1, 2], [3, 4, 5, 6], [1, 1]]}, "each an x and a y"),
        ({"points": [[1, 2], [3, "4"], [1, 1]]}, "must be a list of numbers"),
        ({"points": [[1, 2], [3, 1e99], [1, 1]]}, "must be a list of numbers"),
        ({"points": {}}, "'points' must be a list"),
        ({"flags": [1]}, "'flags' must be an object"),
        ({"score": "high"}, "'score' must be a number"),
        ({"track": 0.5}, "'track' must be a whole number"),
        ({"box": [1, 2]}, "'box' must be a list of numbers"),
        ({"description": 3}, "'description' must be a string"),
        ({"shape_type": "mask", "mask": "?"}, "not base64"),
        ({"shape_type": "mask", "mask": "AAAA"}, "no picture format"),
        ({"shape_type": "mask"}, "must be a string"),
    ],
)
def test_every_fault_names_its_shape(row: dict[str, Any], why: str, tmp_path: Path) -> None:
    good = {"label": "a", "points": [[1, 2], [3, 4], [5, 6]]}
    shapes(tmp_path / "new", good, {**good, **row}, imageHeight=9, imageWidth=9)
    with pytest.raises(InputError) as caught:
        list(labelme.read(tmp_path / "new"))
    assert f"{tmp_path / 'new/a.json'} shape 1" in caught.value.message
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text[:-1], "not JSON"),
        (lambda text: "[" * 100_000, "nested too deep"),
        (lambda text: '{"shapes": ' + "[" * 70 + "]" * 70 + "}", "nested more than 64 deep"),
        (lambda text: text.replace('"shapes": [', '"shapes": 3, "x": ['), "'shapes' must be a list"),
        (lambda text: text.replace("a.png", "../b.png"), "outside the folder"),
        (lambda text: "[]", "must be an object"),
        (lambda text: text.replace("1, 2", "NaN, 2"), "NaN is no number"),
    ],
)
def test_every_fault_names_its_file(change: Callable[[str], str], why: str, tmp_path: Path) -> None:
    folder = shapes(tmp_path / "new", {"label": "a", "points": [[1, 2], [3, 4], [5, 6]]})
    edited(folder / "a.json", change)
    with pytest.raises(InputError) as caught:
        list(labelme.read(folder))
    assert str(folder / "a.json") in caught.value.message
    assert why in caught.value.message


def test_what_it_cannot_hold_is_refused_or_listed(tmp_path: Path) -> None:
    two = ((*RINGS[0], *RINGS[1]), *RINGS[1:])
    data = samples(things(outlines=two), things(masks=MASKS, outlines=RINGS), group="g")
    with pytest.raises(InputError, match="cannot hold its group"):
        labelme.write(data, tmp_path / "new")
    lost = Lost("labelme", strict=False)
    back = labelme.read(labelme.write(data, tmp_path / "new", lost=lost))
    assert lost.counts == {"group": 2, "outlines beside masks": 3, "outlines of several rings, other than as masks": 1}
    for one, other in zip(data, back, strict=True):
        assert isinstance(one.truth, Objects)
        assert isinstance(other.truth, Objects)
        np.testing.assert_array_equal(one.truth.boxes, other.truth.boxes)
        np.testing.assert_array_equal(one.truth.shapes((24, 32)), other.truth.shapes((24, 32)))


@pytest.mark.parametrize("value", [(1,), {1: 2}, float("nan"), np.ones(1)])
def test_what_is_no_json_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plain JSON"):
        labelme.write(samples(things(), attributes={"a": value}), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    labelme.write(everything(), tmp_path / "new")
    assert only_typed_errors(labelme, tmp_path / "new", tmp_path / "new/val/0.json", 0) > 50
    assert only_typed_errors(labelme, tmp_path / "new", tmp_path / "new/train/3.json", 1) > 50
