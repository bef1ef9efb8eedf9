"""Label Studio: regions in percent, brushes, choices, several annotations and predictions, and its set-up of names."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sightline.core.annotations import Labels, Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.core.lost import Lost
from sightline.formats import _studio_shapes, labelstudio
from tests.formats.rounds import BOXES, MASKS, RINGS, edited, only_typed_errors, round_trip, samples, things

TURNED = np.array([[5, 5, 4.4, 2, 0.3], [10.7, 1, 12, 0.5, -3.1], [9, 9, 3, 2, 0]], np.float32)
DETAILS: tuple[dict[str, Any], ...] = (
    {"id": "Dx_1", "labels": ["second"], "meta": {"text": ["x"]}, "from_name": "other"},
    {"shape": "point", "points": [[3.5, 4.25]], "width": 0.5},
    {"shape": "ellipse", "text": "read me", "choices": ["yes", "no"], "hidden": True},
)
MORE = {
    "id": 4711, "site": [1, {"a": None}], "annotation": {"id": 3, "completed_by": 1}, "annotations": [{"result": [3]}],
    "predictions": [{"score": 0.5, "result": []}], "task": {"project": 7},
    "results": [{"type": "relation", "from_id": "a"}],
}  # fmt: skip


def everything() -> Dataset:
    pointed = np.array([BOXES[0], [3.5, 4.25, 3.5, 4.25], BOXES[1]], np.float32)
    data = samples(
        things(details=DETAILS, boxes=pointed),
        things(outlines=(RINGS[0], (), RINGS[2]), scores=np.array([0.1, 1, 0], np.float32), texts=("a", "ä\nb", "c")),
        things(boxes=TURNED), things(masks=MASKS), things().take([]), None,
    )  # fmt: skip
    rows = [replace(one, split=("train", None)[n % 2], group=(None, "g")[n % 2]) for n, one in enumerate(data)]
    rows[0] = replace(rows[0], attributes=MORE)
    names = (*things().names, "second")
    rows = [one if one.truth is None else replace(one, truth=replace(one.truth, names=names)) for one in rows]
    return Dataset(rows, names=names)


def test_all_that_it_holds_comes_back(tmp_path: Path) -> None:
    round_trip(labelstudio, everything(), tmp_path / "new")


def test_choices_alone_are_labels(tmp_path: Path) -> None:
    data = samples(Labels(("a", "c")), Labels(()), None, Labels(("b",)))
    back = round_trip(labelstudio, Dataset(list(data), names=("c", "b", "a")), tmp_path / "new")
    assert (back.kind, back.names) == (Labels, ("c", "b", "a"))


@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 60))))
def test_brushes_are_packed_and_unpacked(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(_studio_shapes.unpacked(_studio_shapes.packed(mask), mask.shape, "x"), mask)  # type: ignore[arg-type]


def test_a_long_run_is_packed() -> None:
    mask = np.zeros((300, 400), bool)
    mask.ravel()[1:] = True
    np.testing.assert_array_equal(_studio_shapes.unpacked(_studio_shapes.packed(mask), mask.shape, "x"), mask)  # type: ignore[arg-type]


def test_a_brush_with_single_values_is_unpacked() -> None:
    """Numbers that differ follow each other without being runs."""
    bits = f"{8:032b}" + f"{7:05b}" + "".join(f"{length - 1:04b}" for length in (3, 4, 8, 16))
    bits += "0" + "00" + f"{7:03b}" + "".join(f"{value:08b}" for value in (1, 2, 3, 0, 0, 0, 0, 9))
    data = [int(bits[place : place + 8].ljust(8, "0"), 2) for place in range(0, len(bits), 8)]
    assert _studio_shapes.unpacked(data, (1, 2), "x").tolist() == [[False, True]]


def tasks(folder: Path, *results: dict[str, Any], image: str = "/data/upload/3/a%20b.png", **more: Any) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "images/a b.png").write_bytes(encode(np.zeros((10, 20, 3), np.uint8)))
    page = [{"id": 1, "data": {"image": image}, "annotations": [{"result": list(results)}], **more}]
    (folder / "export.json").write_text(json.dumps(page, indent=1))
    return folder


SIZE = {"original_width": 20, "original_height": 10, "image_rotation": 0, "to_name": "image", "from_name": "label"}
BOX = {**SIZE, "id": "q", "type": "rectanglelabels"}
PLACE = {"x": 10.0, "y": 20, "width": 50, "height": 40}
VALUE = {**PLACE, "rotation": 0, "rectanglelabels": ["car"]}


def test_regions_as_the_tool_exports_them(tmp_path: Path) -> None:
    rows = [
        {**BOX, "value": VALUE},
        {**BOX, "id": "r", "value": {**VALUE, "rotation": 90}},
        {
            **BOX,
            "id": "s",
            "type": "polygonlabels",
            "value": {"points": [[0, 0], [50, 0], [50, 50]], "polygonlabels": ["a"]},
        },
        {**SIZE, "id": "t", "type": "rectangle", "value": PLACE},
        {**SIZE, "id": "t", "type": "labels", "value": {**PLACE, "labels": ["b"]}},
        {**SIZE, "id": "t", "type": "textarea", "value": {**PLACE, "text": ["one", "two"]}},
        {"id": "z", "type": "choices", "from_name": "weather", "to_name": "image", "value": {"choices": ["sunny"]}},
    ]
    for image in (
        "/data/upload/3/a%20b.png",
        "/data/local-files/?d=images/a%20b.png",
        "s3://bucket/x/a b.png",
        "a b.png",
    ):
        folder = tmp_path / image.replace("/", "_").replace("?", "_")
        data = open_data(tasks(folder, *rows, image=image, predictions=[{"result": [{**BOX, "value": VALUE}]}]))
        assert (data[0].id, data[0].pixels().shape) == ("a b.png", (10, 20, 3))
    truth = data[0].truth
    assert isinstance(truth, Objects)
    assert data.names == ("a", "b", "car")
    np.testing.assert_allclose(truth.boxes[0], [7, 4, 10, 4, 0], atol=1e-6)
    np.testing.assert_allclose(truth.boxes[1], [0, 7, 10, 4, np.pi / 2], atol=1e-6)
    np.testing.assert_allclose(truth.boxes[2], [5, 2.5, 10, 5, 0], atol=1e-6)
    assert truth.classes.tolist() == [2, 2, 0, 1]
    assert truth.details is not None
    assert truth.details[3] == {"id": "t", "from_name": "label", "text": "one\ntwo"}
    assert data[0].attributes["results"][0]["value"] == {"choices": ["sunny"]}
    assert len(data[0].attributes["predictions"]) == 1, "predictions are kept apart"


def test_the_annotation_that_counts(tmp_path: Path) -> None:
    folder = tasks(tmp_path / "new", {**BOX, "value": VALUE})
    page = json.loads((folder / "export.json").read_text())
    good = page[0]["annotations"][0]
    for rows, count in (
        ([{**good, "was_cancelled": True}], None),
        ([{"result": []}, good], 0),
        ([{"result": []}, {**good, "ground_truth": True}], 1),
        ([{**good, "was_cancelled": True}, {"result": []}], 0),
    ):
        (folder / "export.json").write_text(json.dumps([{**page[0], "annotations": rows}]))
        sample = labelstudio.read(folder)[0]
        assert (None if sample.truth is None else len(sample.truth)) == count  # type: ignore[arg-type]
        assert len(sample.attributes.get("annotations", [])) == len(rows) - (count is not None)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"value": {**VALUE, "x": "10"}}, "'x' must be a number"),
        ({"value": {**VALUE, "width": None}}, "'width' must be a number"),
        ({"value": {**VALUE, "height": -1}}, "a rectangle of"),
        ({"value": {**VALUE, "rotation": []}}, "'rotation' must be a number"),
        ({"value": {**VALUE, "rectanglelabels": [3]}}, "a label must be a string"),
        ({"value": {**VALUE, "rectanglelabels": "car"}}, "must be a list"),
        ({"value": {**VALUE, "rectanglelabels": []}}, "a region without a label"),
        ({"value": VALUE, "original_width": 0.5}, "the width must be a whole number"),
        ({"value": VALUE, "original_width": 0}, "a picture of"),
        ({"value": VALUE, "image_rotation": 90}, "export it upright"),
        ({"value": VALUE, "score": "x"}, "'score' must be a number"),
        ({"value": {"points": [[1, 2, 3]], "labels": ["a"]}, "type": "polygon"}, "must be a list of numbers"),
        ({"value": {"rle": [1, 2], "labels": ["a"]}, "type": "brush"}, "'rle' ends too early"),
        ({"value": {"rle": [300], "labels": ["a"]}, "type": "brush"}, "a list of bytes"),
        ({"value": {"rle": _studio_shapes.packed(np.ones((3, 3), bool)), "labels": ["a"]}, "type": "brush"}, "has 200"),
    ],
)
def test_every_fault_names_its_file_and_line(result: dict[str, Any], why: str, tmp_path: Path) -> None:
    folder = tasks(tmp_path / "new", {**BOX, "id": "ok", "value": VALUE}, {**BOX, **result})
    with pytest.raises(InputError) as caught:
        list(labelstudio.read(folder))
    assert str(folder / "export.json") in caught.value.message
    assert "task 0" in caught.value.message
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace('"result": [', '"result": [3, '), "a result must be an object"),
        (lambda text: text.replace('"annotations": [', '"annotations": [3, '), "an annotation must be an object"),
        (lambda text: text.replace('"data": {', '"data": [{').replace(".png\"\n  }", ".png\"\n  }]"), "'data' must be"),
        (lambda text: text.replace('"image": "', '"image": 3, "y": "').replace(".png", ""), "No such file"),
        (lambda text: text.replace('"/data/upload/3/a%20b.png"', '"../x.png"'), "outside the folder"),
        (lambda text: text.replace('"/data/upload/3/a%20b.png"', '"/data/local-files/?d=../../x.png"'), "outside"),
        (lambda text: text.replace('"/data/upload/3/a%20b.png"', "null"), "names no picture"),
        (lambda text: text[:-2], "ends before"),
        (lambda text: text + ",", "stands behind"),
        (lambda text: text.replace('"x": 10.0', '"x": NaN'), "NaN"),
    ],
)  # fmt: skip
def test_every_fault_of_a_task_is_named(change: Callable[[str], str], why: str, tmp_path: Path) -> None:
    folder = tasks(tmp_path / "new", {**BOX, "value": VALUE})
    edited(folder / "export.json", change)
    with pytest.raises(InputError) as caught:
        _ = [sample.pixels() for sample in labelstudio.read(folder)]
    assert str(folder) in caught.value.message
    assert why in caught.value.message


def test_a_file_that_changed_is_not_read_on(tmp_path: Path) -> None:
    folder = tasks(tmp_path / "new", {**BOX, "value": VALUE})
    data = labelstudio.read(folder)
    time.sleep(0.01)
    edited(folder / "export.json", lambda text: text.replace("car", "cat"))
    with pytest.raises(InputError, match="changed after it was opened"):
        _ = data[0]


def test_what_it_cannot_hold_is_refused_or_listed(tmp_path: Path) -> None:
    two = ((*RINGS[0], *RINGS[1]), *RINGS[1:])
    first = things(outlines=two, tracks=np.arange(3), details=({"shape": "line", "points": [], "value": 3}, {}, {}))
    data = samples(first, things(masks=MASKS, outlines=RINGS), Labels(("x",)), attributes={"split": "x"})
    with pytest.raises(InputError, match="cannot hold its"):
        labelstudio.write(data, tmp_path / "new")
    lost = Lost("labelstudio", strict=False)
    back = labelstudio.read(labelstudio.write(data, tmp_path / "new", lost=lost))
    assert lost.counts == {
        "attribute 'split'": 3, "tracks": 1, "outlines of several rings, other than as masks": 1, "truth (labels)": 1,
        "'value' of objects": 1, "outlines beside masks": 3,
    }  # fmt: skip
    for one, other in zip(list(data)[:2], back, strict=False):
        np.testing.assert_array_equal(one.truth.shapes((24, 32)), other.truth.shapes((24, 32)))  # type: ignore[union-attr]


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    labelstudio.write(everything(), tmp_path / "new")
    assert only_typed_errors(labelstudio, tmp_path / "new", tmp_path / "new/tasks.json", 0) > 50
