"""COCO: every kind of annotation, as the reference library reads it, and a million pictures without building them."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sightline.core import geometry
from sightline.core.annotations import Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.core.lost import Lost
from sightline.formats import _rle, _scan, coco
from sightline.formats._coco_names import mirrored
from tests.formats.rounds import MASKS, RINGS, edited, only_typed_errors, round_trip, samples, things

DETAILS: tuple[dict[str, Any], ...] = (
    {"id": 77, "area": 3.5, "attributes": {"occluded": True}}, {"crowd": True, "num_keypoints": 9}, {"area": 8},
)  # fmt: skip
POINTS = np.array([[[1, 2, 2], [0.1, 0.2, 1]], [[0, 0, 0], [9.99, 3, 2]], [[0, 0, 0], [0, 0, 0]]], np.float32)
HOLE = (np.array([[2, 2], [9, 2], [9, 9], [2, 9]], np.float32), np.array([[3, 3], [5, 3], [5, 5.5]], np.float32))
PARTS = (*RINGS[0], np.array([[20, 20], [25.5, 20], [22, 23]], np.float32))
TOLD = {
    "info": {"year": 2026}, "licenses": [{"id": 3}], "parents": {"dog": "animal"},
    "categories": {"a cat": {"id": 90, "isthing": 1}},
    "keypoints": {"dog": ["left_ear", "right_ear"]}, "skeleton": {"dog": [[0, 1]]},
}  # fmt: skip


def everything(points: bool = True) -> Dataset:
    more: dict[str, Any] = {"keypoints": POINTS, "mirror": (1, 0)} if points else {}
    outlined = things(
        outlines=(PARTS, HOLE, ()), details=DETAILS, scores=np.array([0.1, 1, 0], np.float32),
        tracks=np.array([5, 5, -1]), texts=("ä", "b\n", ""), **more,
    )  # fmt: skip
    data = samples(things(), outlined, None, things(masks=MASKS), things().take([0]))
    rows = [
        replace(one, split="train" if n % 2 else "val", id=f"{'train' if n % 2 else 'val'}/{one.id}")
        for n, one in enumerate(data)
    ]
    rows[1] = replace(rows[1], attributes={"license": 3, "id": 1234, "tag": [None, {"a": 1.5}]})
    return Dataset([*rows[1::2], *rows[::2]], names=things().names, details=TOLD if points else {})


def test_all_that_it_holds_comes_back(tmp_path: Path) -> None:
    round_trip(coco, everything(), tmp_path / "new")
    round_trip(coco, samples(None, None), tmp_path / "pictures")


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_the_reference_reads_the_same(tmp_path: Path) -> None:
    """pycocotools sees the boxes, pixels and ids that the records say."""
    from pycocotools.coco import COCO

    data = everything()
    coco.write(data, tmp_path / "new")
    their = COCO(tmp_path / "new/annotations/instances_train.json")
    sides = data.side("train")
    for number, sample in zip(their.getImgIds(), sides, strict=True):
        truth = sample.truth
        assert isinstance(truth, Objects)
        rows = their.loadAnns(their.getAnnIds(imgIds=[number]))
        assert len(rows) == len(truth)
        for row, box, drawn, name in zip(rows, truth.boxes, truth.shapes((24, 32)), truth.classes, strict=True):
            x, y, width, height = row["bbox"]
            np.testing.assert_allclose([x, y, x + width, y + height], box, atol=1e-4)
            assert their.cats[row["category_id"]]["name"] == truth.names[name]
            if "segmentation" in row:
                assert (their.annToMask(row).astype(bool) ^ drawn).sum() <= 12, "their outlines are drawn a bit wider"
    assert their.getCatIds(supNms=["animal"]) == [1]


@given(arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 40))))
def test_runs_are_those_of_the_reference(mask: np.ndarray) -> None:
    from pycocotools import mask as reference

    their = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = _rle.to_coco(mask)
    assert ours["counts"].encode() == their["counts"]
    np.testing.assert_array_equal(_rle.from_coco(ours, "x"), mask)
    plain = {"size": ours["size"], "counts": _rle.to_runs(mask, down=True)}
    np.testing.assert_array_equal(_rle.from_coco(plain, "x"), mask)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"counts": [1]}, "'size' of a run-length mask"),
        ({"size": [2, 2.0], "counts": [4]}, "'size' of a run-length mask"),
        ({"size": [2, 2], "counts": [3]}, "runs of 3 pixels for a mask of 2 x 2"),
        ({"size": [2, 2], "counts": [-1, 5]}, "runs of 4 pixels"),
        ({"size": [2, 2], "counts": [2**39] * 3}, "runs of"),
        ({"size": [2, 2], "counts": ["4"]}, "'counts' must be"),
        ({"size": [2, 2], "counts": "\x7f"}, "no run-length text"),
        ({"size": [2, 2], "counts": "o" * 9}, "no run-length text"),
        ({"size": [2, 2], "counts": "o" * 9 + "0"}, "more than 40 bits"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, "the limit is"),
    ],
)
def test_runs_that_cannot_be(value: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        _rle.from_coco(value, "x")


def as_file(folder: Path, *annotations: dict[str, Any], **more: Any) -> Path:
    folder.mkdir(parents=True)
    for n in range(2):
        (folder / f"{n}.png").write_bytes(encode(np.full((9, 8, 3), n, np.uint8)))
    images = [{"id": 7, "file_name": "0.png"}, {"id": 2, "file_name": "1.png"}]
    page = {
        "images": images,
        "annotations": [{"id": n, "image_id": 2, "category_id": 5, **row} for n, row in enumerate(annotations, 1)],
    }
    page |= {"categories": [{"id": 5, "name": "a"}, {"id": 3, "name": "b"}], **more}
    (folder / "labels.json").write_text(json.dumps(page, indent=1))
    return folder / "labels.json"


def test_runs_among_outlines_become_outlines(tmp_path: Path) -> None:
    mask = np.zeros((9, 8), bool)
    mask[2:5, 3:7] = mask[6, 6] = True
    crowd = {"segmentation": {"size": [9, 8], "counts": _rle.to_runs(mask, down=True)}, "iscrowd": 1, "area": 13}
    data = open_data(as_file(tmp_path / "a", crowd, {"segmentation": [[1, 1, 4, 1, 4, 4]], "category_id": 3}).parent)
    assert [one.id for one in data] == ["0.png", "1.png"]
    assert data[0].attributes == {"id": 7}
    assert len(data[0].truth) == 0  # type: ignore[arg-type]
    truth = data[1].truth
    assert isinstance(truth, Objects)
    assert truth.boxes.tolist() == [[3, 2, 7, 7], [1, 1, 4, 4]]
    assert (truth.masks, truth.classes.tolist()) == (None, [0, 1])
    np.testing.assert_array_equal(truth.shapes((9, 8))[0], mask)
    assert truth.details == ({"mask": True, "crowd": True}, {})
    coco.write(data, tmp_path / "new")
    again = json.loads((tmp_path / "new/annotations/instances.json").read_text())["annotations"]
    assert again[0]["segmentation"] == _rle.to_coco(mask)
    assert coco.read(tmp_path / "new").fingerprint == data.fingerprint


def test_masks_are_made_when_somebody_looks(tmp_path: Path) -> None:
    good = {"bbox": [1, 2, 3, 4], "area": 0, "segmentation": {"size": [9, 8], "counts": [72]}}
    data = coco.read(as_file(tmp_path / "a", good))
    assert data[1].truth.masks.shape == (1, 9, 8)  # type: ignore[union-attr]
    bad = {**good, "segmentation": {"size": [9, 8], "counts": [71]}}
    truth = coco.read(as_file(tmp_path / "b", bad))[1].truth
    assert truth.boxes.tolist() == [[1, 2, 4, 6]]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="runs of 71 pixels"):
        _ = truth.masks  # type: ignore[union-attr]


def test_parts_that_overlap_count_once(tmp_path: Path) -> None:
    squares = [[1, 1, 5, 1, 5, 5, 1, 5], [3, 3, 7, 3, 7, 7, 3, 7]]
    truth = coco.read(as_file(tmp_path / "a", {"segmentation": squares, "area": 28}))[1].truth
    assert isinstance(truth, Objects)
    assert (truth.shapes((9, 8)).sum(), truth.details) == (28, None)


def test_a_thing_has_the_box_of_what_is_known_of_it(tmp_path: Path) -> None:
    points = [0, 0, 0, 2, 3, 2, 5, 4.5, 1]
    categories = [{"id": 5, "name": "a", "keypoints": ["nose", "l_eye", "r_eye"]}, {"id": 6, "name": "b"}]
    data = coco.read(as_file(tmp_path / "a", {"keypoints": points, "num_keypoints": 2}, categories=categories))
    truth = data[1].truth
    assert isinstance(truth, Objects)
    assert truth.boxes.tolist() == [[2, 3, 5, 4.5]]
    assert (truth.mirror, data.details["keypoints"]) == ((0, 2, 1), {"a": ["nose", "l_eye", "r_eye"]})


def test_twins_are_told_by_their_names() -> None:
    assert mirrored(["nose", "left_eye", "right_eye", "LeftHand", "RightHand"]) == [0, 2, 1, 3, 4]
    assert mirrored(["eye-right", "eye-left"]) == [1, 0]
    assert mirrored(["a", "b"]) is None
    assert mirrored(["left", "top"]) is None


def test_panoptic_segments_are_things_with_masks(tmp_path: Path) -> None:
    ids = np.zeros((9, 8), np.int64)
    ids[:4], ids[5:] = 70_000, 300
    segments = [
        {"id": 300, "category_id": 3, "bbox": [0, 5, 8, 4]},
        {"id": 70_000, "category_id": 5, "bbox": [0, 0, 8, 4]},
    ]
    file = as_file(tmp_path / "a", {"file_name": "1.png", "segments_info": segments})
    pixels = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
    (tmp_path / "a/labels").mkdir()
    (tmp_path / "a/labels/1.png").write_bytes(encode(pixels))
    data = open_data(file)
    truth = data[1].truth
    assert isinstance(truth, Objects)
    assert (truth.classes.tolist(), truth.boxes[0].tolist()) == ([1, 0], [0, 5, 8, 9])
    assert truth.details == ({"id": 300}, {"id": 70_000})
    np.testing.assert_array_equal(truth.masks, np.stack([ids == 300, ids == 70_000]))
    (tmp_path / "a/labels/1.png").unlink()
    with pytest.raises(InputError, match="No such file"):
        _ = data[1].truth.masks  # type: ignore[union-attr]


def test_files_of_a_folder_are_its_splits(tmp_path: Path) -> None:
    for side, folder in (("train2017", "images/train2017"), ("val2017", "val2017")):
        file = as_file(tmp_path / folder, {"bbox": [1, 2, 3, 4]})
        (tmp_path / "annotations").mkdir(exist_ok=True)
        file.rename(tmp_path / f"annotations/instances_{side}.json")
    data = open_data(tmp_path)
    assert [(one.id, one.split) for one in data][::2] == [("train/0.png", "train"), ("val/0.png", "val")]
    assert [one.pixels().max() for one in data] == [0, 1, 0, 1]
    (tmp_path / "annotations/person_keypoints_val2017.json").write_bytes(
        (tmp_path / "annotations/instances_val2017.json").read_bytes()
    )
    assert coco.sniff(tmp_path).strength == 1
    with pytest.raises(InputError, match="label the same pictures; name one"):
        coco.read(tmp_path)
    assert len(open_data(tmp_path / "annotations/person_keypoints_val2017.json")) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace('"file_name": "1.png"', '"file_name": "../1.png"'), "outside the folder"),
        (lambda text: text.replace('"file_name": "1.png"', '"name": "1.png"'), "not the path"),
        (lambda text: text.replace('"id": 2', '"id": 2.5'), "an image needs an 'id'"),
        (lambda text: text.replace('"id": 2', '"id": "2"'), "an image needs an 'id'"),
        (lambda text: text.replace('"id": 2', '"id": 7'), "the 'id' of another"),
        (lambda text: text.replace('"image_id": 2', '"image_id": 9'), "is no image's 'id'"),
        (lambda text: text.replace('"image_id": 2', '"images_id": 2'), "an annotation needs an 'image_id'"),
        (lambda text: text.replace('"category_id": 5', '"category_id": 4'), "no category has the id 4"),
        (lambda text: text.replace('"category_id": 5', '"category_id": null'), "'category_id' must be a whole number"),
        (lambda text: text.replace('"bbox": [', '"bbox": [5,'), "'bbox' must be a list"),
        (lambda text: text.replace('"bbox": [', '"bbox": [-1e999,'), "'bbox' must be a list"),
        (lambda text: re.sub("bbox|segmentation|keypoints", "x", text), "without 'bbox'"),
        (lambda text: text.replace("30\n", "-30\n"), "a 'bbox' of"),
        (lambda text: text.replace('"segmentation": [', '"segmentation": [3,'), "'segmentation' must be a list"),
        (lambda text: text.replace('"segmentation": [', '"segmentation": [[1, 2, 3],'), "'segmentation' must be"),
        (lambda text: text.replace('"keypoints": [', '"keypoints": [1,'), "'keypoints' must be a list"),
        (lambda text: text.replace('"iscrowd": 0', '"iscrowd": "0"'), "'iscrowd' must be a whole"),
        (lambda text: text.replace('"iscrowd": 0', '"iscrowd": tru'), "not JSON"),
        (lambda text: text.replace('"iscrowd": 0', '"iscrowd": ' + "[" * 99 + "]" * 99), "nested"),
        (lambda text: text.replace('"name": "b"', '"name": "a"'), "two categories share"),
        (lambda text: text.replace('"name": "b"', '"names": "b"'), "'name' must be a string"),
        (lambda text: text[:-1], "ends before its last bracket"),
        (lambda text: text + "]", "brackets that do not match"),
        (lambda text: text + "x", "it goes on"),
        (lambda text: text.replace('"images": [', '"images": [3, '), "'images' must list objects"),
        (lambda text: text.replace('"images": [', '"images": {"a": [') .replace("]", "]}", 1), "'images' must list"),
        (lambda text: text.replace('"annotations"', '"images"'), "a second 'images'"),
        (lambda text: text.replace("},\n  {", "}\n  {", 1), "more than a comma"),
        (lambda text: text.replace("},\n  {", "},,\n  {", 1), "more than a comma"),
    ],
)  # fmt: skip
def test_every_fault_names_its_file_and_line(change: Callable[[str], str], why: str, tmp_path: Path) -> None:
    row = {"bbox": [1, 2, 20, 30], "segmentation": [[1, 2, 3, 4, 5, 6]], "keypoints": [1, 2, 2], "iscrowd": 0}
    file = as_file(tmp_path / "a", row)
    assert len(list(coco.read(file))) == 2
    edited(file, change)
    with pytest.raises(InputError) as caught:
        list(coco.read(file))
    assert why in caught.value.message
    assert str(file) in caught.value.message
    assert f"{file} line " in caught.value.message or "ends before" in why or "categor" in caught.value.message


def test_the_line_is_that_of_the_thing(tmp_path: Path) -> None:
    file = as_file(tmp_path / "a", {"bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3]})
    with pytest.raises(InputError) as caught:
        list(coco.read(file))
    line = int(caught.value.message.split(" line ")[1].split(":")[0])
    assert '"annotations"' in "\n".join(file.read_text().splitlines()[:line])
    assert file.read_text().splitlines()[line - 1].strip() == "{"
    assert "[1, 2, 3]" in " ".join(" ".join(file.read_text().splitlines()[line:]).split())[:200].replace(
        "[ ", "["
    ).replace(" ]", "]")


def test_results_alone_are_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('[{"image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]')
    assert coco.sniff(tmp_path / "results.json").strength == 0
    with pytest.raises(InputError, match="a list of results names no pictures"):
        coco.read(tmp_path / "results.json")


def test_a_file_that_changed_is_not_read_on(tmp_path: Path) -> None:
    file = as_file(tmp_path / "a", {"bbox": [1, 2, 3, 4]})
    data = coco.read(file)
    time.sleep(0.01)
    edited(file, lambda text: text.replace("0.png", "2.png"))
    with pytest.raises(InputError, match="changed after it was opened"):
        _ = data[0]
    file.unlink()
    with pytest.raises(InputError, match="No such file"):
        _ = data[0]


def test_what_it_cannot_hold_is_refused_or_listed(tmp_path: Path) -> None:
    turned = things(boxes=np.ones((3, 5), np.float32), details=({"bbox": 3}, {"id": "a"}, {}))
    data = samples(turned, things(masks=MASKS, outlines=RINGS), group="g")
    with pytest.raises(InputError, match="cannot hold its group"):
        coco.write(data, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    lost = Lost("coco", strict=False)
    back = coco.read(coco.write(data, tmp_path / "new", lost=lost))
    assert lost.counts == {
        "group": 2, "rotation of boxes": 1, "'bbox' of objects": 1, "'id' of objects": 1, "outlines beside masks": 3,
    }  # fmt: skip
    np.testing.assert_allclose(back[0].truth.boxes, geometry.upright(turned.boxes), atol=1e-6)  # type: ignore[union-attr]


TEXT = st.text(st.sampled_from('ab"\\{}[],: \n'), max_size=6)
VALUES = st.recursive(
    st.none() | st.integers(-(10**20), 10**20) | TEXT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["id", "image_id", "x", "di"]) | TEXT, VALUES, max_size=4), max_size=4)


@settings(deadline=None)
@given(ROWS, ROWS, st.dictionaries(TEXT, VALUES, max_size=3), st.sampled_from([None, 1]), st.integers(20, 400))
def test_places_are_those_of_the_objects(
    tmp_path_factory: pytest.TempPathFactory, images: Any, annotations: Any, more: Any, indent: int | None, piece: int
) -> None:
    """Whatever stands in strings and however the file is cut into pieces, the same objects are found as by parsing."""
    page = {**more, "images": images, "b": more, "annotations": annotations}
    file = tmp_path_factory.getbasetemp() / "scan.json"
    text = json.dumps(page, indent=indent).encode()
    file.write_bytes(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scan, "_PIECE", piece)
        found = _scan.scan(file, {"images": ("id",), "annotations": ("image_id", "id")})
    assert {key: found.value(key) for key in found.keys} == json.loads(text)
    for name, numbers in (("images", ("id",)), ("annotations", ("image_id", "id"))):
        rows = found.lists[name]
        places = zip(rows.starts.tolist(), rows.ends.tolist(), strict=True)
        assert [json.loads(text[start:end]) for start, end in places] == page[name]
        for number in numbers:
            wanted = [row.get(number) for row in page[name]]  # type: ignore[attr-defined]
            short = [value if type(value) is int and abs(value) < 10**18 else _scan.MISSING for value in wanted]
            assert rows.numbers[number].tolist() == short


def test_a_hundred_thousand_pictures_open_in_a_second(tmp_path: Path) -> None:
    count = 100_000
    images = ",".join(f'{{"id": {n}, "file_name": "{n:012}.jpg", "width": 640, "height": 480}}' for n in range(count))
    rest = '"category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0'
    things = ",".join(f'{{"id": {n}, "image_id": {n * 7919 % count}, {rest}}}' for n in range(count))
    file = tmp_path / "labels.json"
    file.write_text(f'{{"images": [{images}], "annotations": [{things}], "categories": [{{"id": 1, "name": "a"}}]}}')
    begun = time.process_time()
    data = coco.read(file)
    assert (len(data), len(data[count - 1].truth)) == (count, 1)  # type: ignore[arg-type]
    assert time.process_time() - begun < 1.5


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    coco.write(everything(), tmp_path / "new")
    assert only_typed_errors(coco, tmp_path / "new", tmp_path / "new/annotations/instances_train.json", 0) > 50


def test_columns_need_no_samples(tmp_path: Path) -> None:
    """What the index and the rows know of all samples is what the samples say."""
    from sightline.formats import _labels, cvat, labelme, voc, yolo

    plain = samples(things(), None, things().take([2]), group=None)
    rows = [
        replace(one, split="train" if n else "val", id=f"{'train' if n else 'val'}/{n}.png")
        for n, one in enumerate(plain)
    ]
    for part in (coco, cvat, labelme, voc, yolo):
        data = part.read(part.write(Dataset(rows), tmp_path / part.__name__))  # type: ignore[attr-defined]
        for field in ("id", "split", "group", "names"):
            for shown in (data.samples, data.samples[1:], data.samples[::-1]):
                assert list(shown.column(field)) == _labels.column_of(shown, field), (part, field)  # type: ignore[union-attr]
