"""YOLO: boxes, outlines, key points and rotated boxes in rows; the YAML of its makers and of others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.annotations import Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError
from sightline.core.image import BytesImage, encode
from sightline.core.lost import Lost
from sightline.formats import _yaml, yolo
from tests.formats.rounds import MASKS, RINGS, only_typed_errors, round_trip, samples, things

NAMES = ("dog", "a 'cat': #1", "12", "null", 'ünï \\ "x"')
TURNED = np.array([[5, 5, 4.4, 2, 0.3], [10.7, 1, 12, 0.5, -3.1], [9, 9, 3, 3, 0]], np.float32)
POINTS = np.array([[[1, 2, 2], [0.1, 0.2, 1]], [[0, 0, 0], [9.99, 3, 2]], [[0, 0, 0], [40, -3, 1]]], np.float32)
SCORES = np.array([0.1, 1, 0], np.float32)
PICTURE = encode(np.zeros((20, 30, 3), np.uint8))


def sided(*truths: Any, **told: Any) -> Dataset:
    rows = [
        replace(
            one, split=("train", "val", "test", None)[n % 4], id=f"{('train', 'val', 'test', 'deep')[n % 4]}/{one.id}"
        )
        for n, one in enumerate(samples(*truths))
    ]
    return Dataset(sorted(rows, key=lambda one: one.id), names=NAMES, details=told)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"scores": SCORES},
        {"outlines": (RINGS[0], (), RINGS[2])},
        {"outlines": RINGS, "scores": SCORES},
        {"keypoints": POINTS, "mirror": (1, 0)},
        {"keypoints": POINTS, "scores": SCORES},
        {"boxes": TURNED},
        {"boxes": TURNED, "scores": SCORES},
    ],
    ids=lambda columns: "+".join(columns) or "boxes",
)
def test_all_that_it_holds_comes_back(columns: dict[str, Any], tmp_path: Path) -> None:
    if "outlines" in columns:  # the box is then that of the outline
        bounds = [
            [*ring[0].min(0), *ring[0].max(0)] if ring else box
            for ring, box in zip(columns["outlines"], things().boxes, strict=True)
        ]
        columns = {**columns, "boxes": np.array(bounds, np.float32)}
    truth = things(names=NAMES, **columns)
    told = {"keypoints": {NAMES[1]: ["left [ear]", "it's, right"]}} if "keypoints" in columns else {}
    round_trip(yolo, sided(truth, truth.take([0]), None, truth, **told), tmp_path / "new")


def test_nothing_there_is_not_nobody_looked(tmp_path: Path) -> None:
    empty = Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), NAMES)
    back = round_trip(yolo, sided(empty, None), tmp_path / "new")
    assert [one.truth is None for one in back] == [False, True]
    assert (tmp_path / "new/labels/train/0.txt").read_text() == ""


CORNERS = st.lists(st.floats(-50, 5000, width=32), min_size=4, max_size=4)


@given(CORNERS, st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_fractions_keep_every_bit(corners: list[float], size: tuple[int, int]) -> None:
    """Coordinates with a digit up to a sixty-fourth of a pixel come back as the same 32-bit numbers."""
    from sightline.formats import _yolo_rows, _yolo_write

    snapped = np.round(np.array(corners) * 64) / 64
    box = np.array([[*np.minimum(snapped[:2], snapped[2:]), *np.maximum(snapped[:2], snapped[2:])]], np.float32)
    truth = Objects(box, np.array([0]), ("a",))
    numbers = _yolo_write._numbers(samples(truth)[0], truth, 0, size, "outlines", 0, Lost("yolo"))
    if np.abs(numbers).max() < 16:
        again = _yolo_rows._thing(["0", *map(repr, numbers)], size, _yolo_rows.Shape(("a",)), "x").box
        np.testing.assert_array_equal(np.array(again, np.float32), box[0])


def folder(path: Path, yaml: str, rows: str, *, picture: str = "images/train/a.png") -> Path:
    for name in (picture, picture.replace("images", "labels").replace(".png", ".txt")):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / picture).write_bytes(encode(np.zeros((10, 20, 3), np.uint8)))
    (path / picture.replace("images", "labels").replace(".png", ".txt")).write_text(rows)
    (path / "data.yaml").write_text(yaml)
    return path


def test_folders_as_others_lay_them_out(tmp_path: Path) -> None:
    row = "1 0.5 0.5 0.1 0.2\n"
    coco8 = """# comment
path: ../datasets/coco8 # root
train: images/train
val: images/val
test: # none

nc: 2
names:
  0: person
  1: 'a b'

download: |
  from x import y
  z: 1
"""
    (tmp_path / "one/images/val").mkdir(parents=True)
    data = open_data(folder(tmp_path / "one", coco8, row))
    assert [(one.id, one.split) for one in data] == [("train/a.png", "train")]
    assert data.names == ("person", "a b")
    np.testing.assert_allclose(data[0].truth.boxes, [[9, 4, 11, 6]])  # type: ignore[union-attr]
    robo = "train: ../train/images\nnc: 2\nnames: ['person', \"b\"]\n"
    data = open_data(folder(tmp_path / "two", robo, row, picture="train/images/a.png"))
    assert [(one.id, one.split, len(one.truth)) for one in data] == [("train/a.png", "train", 1)]  # type: ignore[arg-type]
    folder(tmp_path / "three", "train: list.txt\nnames: [person,\n  b]\n", row, picture="images/a.png")
    (tmp_path / "three/list.txt").write_text("./images/a.png\n")
    assert [(one.id, one.split) for one in open_data(tmp_path / "three/data.yaml")] == [("a.png", "train")]
    plain = folder(tmp_path / "four", "", row, picture="a.png")
    (plain / "data.yaml").unlink()
    (plain / "classes.txt").write_text("person\nb\n")
    assert [(one.id, len(one.truth)) for one in open_data(plain)] == [("a.png", 1)]  # type: ignore[arg-type]


def test_nine_numbers_are_corners_where_all_are_rectangles(tmp_path: Path) -> None:
    corners = "0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n"
    data = open_data(folder(tmp_path / "one", "names: [a]\ntrain: images/train\n", corners))
    np.testing.assert_allclose(data[0].truth.boxes, [[4, 4, 4, 4, 0]], atol=1e-6)  # type: ignore[union-attr]
    crooked = folder(tmp_path / "crooked", "names: [a]\n", corners.replace("0.1 0.6", "0.1 0.5"))
    assert open_data(crooked)[0].truth.outlines is not None  # type: ignore[union-attr]
    for more, yaml in (("0 0.1 0.1 0.2 0.2 0.3 0.1\n", ""), ("", "task: segment\n")):
        path = folder(tmp_path / f"two{len(more)}", f"names: [a]\n{yaml}", corners + more)
        truth = open_data(path)[0].truth
        assert len(truth.outlines[0][0]) == 4  # type: ignore[union-attr,index]


@pytest.mark.parametrize(
    ("yaml", "row", "why"),
    [
        ("", "2 0.5 0.5 0.1 0.1", "class 2 has no name; there are 2"),
        ("", "-1 0.5 0.5 0.1 0.1", "class -1 has no name"),
        ("", "0.5 0.5 0.5 0.1 0.1", "class 0.5 has no name"),
        ("", "nan 0.5 0.5 0.1 0.1", "class nan has no name"),
        ("", "0 0.5 0.5 0.1", "4 numbers; a row has 5"),
        ("", "0 0.5 0.5 0.1 -0.1", "a box of"),
        ("", "0 300 200 10 10", "fractions of the picture"),
        ("", "0 0.5 0.5 0.1 inf", "fractions of the picture"),
        ("", "0 0.5 0.5 0.1 1_0", "fractions of the picture"),
        ("", "0 0.5 x 0.1 0.1", "not numbers"),
        ("kpt_shape: [2, 3]", "0 0.5 0.5 0.1 0.1", "5 numbers; a row has 11"),
        ("kpt_shape: [1, 2]", "0 0.5 0.5 0.1 0.1 1 1 1 1", "9 numbers; a row has 7"),
        ("task: obb", "0 0.5 0.5 0.1 0.1", "5 numbers; a row has 9"),
    ],
)
def test_every_fault_names_its_file_and_line(yaml: str, row: str, why: str, tmp_path: Path) -> None:
    path = folder(tmp_path / "new", f"names: [a, b]\n{yaml}\n", f"\n{row}\n")
    with pytest.raises(InputError) as caught:
        list(yolo.read(path))
    assert f"{path / 'labels/train/a.txt'} line 2: " in caught.value.message
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("yaml", "line", "why"),
    [
        ("names: [a, a]", 1, "must differ"),
        ("names: 3", 1, "'names' must be a list"),
        ("names:\n  0: a\n  2: b", 1, "numbered from 0"),
        ("names:\n  0: a\n  0: b", 3, "a second time"),
        ("names:\n  - a\n  b", 2, "wanted is a key"),
        ("names: [a, b", 1, "not closed"),
        ("names: [a], b", 1, "behind a closed bracket"),
        ("names: {0 a}", 1, "colon"),
        ("names: &x [a]", 1, "more of YAML"),
        ('names: ["\\q"]', 1, "cannot be read"),
        ("names: [a]\ntrain: ../../etc", 0, "outside the folder"),
        ("names: [a]\ntrain: /etc", 0, "outside the folder"),
        ("names: [a]\ntrain: nowhere", 0, "is no folder"),
        ("names: [a]\ntrain: images/train\nval: images/train", 0, "is in 'train' and in 'val'"),
        ("names: [a]\nkpt_shape: [1, 4]", 0, "'kpt_shape' must be"),
        ("names: [a]\nkpt_shape: [2, 3]\nflip_idx: [0, 0]", 0, "'flip_idx' must name"),
        ("names: [a]\nkpt_names: {3: [b]}", 0, "has no name"),
        ("nams: [a]", 0, "names"),
        ("names: [a]\n!x: 3", 2, "more of YAML"),
    ],
)
def test_every_fault_of_the_yaml_is_named(yaml: str, line: int, why: str, tmp_path: Path) -> None:
    path = folder(tmp_path / "new", yaml, "")
    with pytest.raises(InputError) as caught:
        list(yolo.read(path))
    assert str(path) in caught.value.message
    assert f"data.yaml line {line}" in caught.value.message or not line
    assert why in caught.value.message


@given(st.text(max_size=40))
def test_any_text_is_yaml_or_one_line(text: str) -> None:
    try:
        for entry in _yaml.top_keys(text.split("\n"), "file").values():
            _yaml.value(entry, "file")
    except InputError as error:
        assert error.message.startswith("file line ")  # noqa: PT017 - an answer is fine too


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1), max_size=4))
def test_names_are_read_as_they_were_written(names: list[str]) -> None:
    lines = ["names:", *(f"  {place}: {_yaml.quoted(name)}" for place, name in enumerate(names))]
    assert _yaml.value(_yaml.top_keys(lines, "x")["names"], "x") == (dict(enumerate(names)) or None)
    flow = f"names: [{', '.join(map(_yaml.quoted, names))}]"
    assert _yaml.value(_yaml.top_keys([flow], "x")["names"], "x") == names


def test_labels_of_a_picture_that_cannot_be_read_say_so_when_asked(tmp_path: Path) -> None:
    path = folder(tmp_path / "new", "names: [a]\n", "0 0.5 0.5 0.1 0.1\n")
    (path / "images/train/a.png").write_bytes(b"no picture")
    (sample,) = yolo.read(path)
    with pytest.raises(InputError, match=r"a.png"):
        _ = sample.truth.boxes  # type: ignore[union-attr]


def test_what_it_cannot_hold_is_refused_or_listed(tmp_path: Path) -> None:
    truth = things(outlines=((*RINGS[1], *RINGS[0]), *RINGS[1:]), masks=MASKS, details=({"id": 1}, {}, {}))
    data = Dataset(
        [
            *samples(truth, group="g"),
            *samples(things(), attributes={"a": 1}).map(
                lambda one: replace(one, id="b", images=(BytesImage(b"x", "b.png"),))
            ),
        ],
        details={"info": 3},
    )
    with pytest.raises(InputError, match="'info' of the whole"):
        yolo.write(data, tmp_path / "new")
    lost = Lost("yolo", strict=False)
    back = yolo.read(yolo.write(data, tmp_path / "new", lost=lost))
    assert set(lost.counts) == {
        "'info' of the whole", "group", "attributes", "masks", "details", "outlines beyond their largest ring",
        "objects of a picture that cannot be read",
    }  # fmt: skip
    assert len(back) == 2


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    yolo.write(sided(things(names=NAMES, outlines=RINGS, boxes=things().boxes).take([1])), tmp_path / "new")
    assert only_typed_errors(yolo, tmp_path / "new", tmp_path / "new/labels/train/0.txt", 0) > 50
    assert only_typed_errors(yolo, tmp_path / "new", tmp_path / "new/data.yaml", 1) > 20


@pytest.mark.parametrize("deep", ["", "train"])
def test_rows_without_a_list_of_names_say_how_to_write_one(deep: str, tmp_path: Path) -> None:
    for home, name, content in (("images", "1.png", PICTURE), ("labels", "1.txt", b"1 0.5 0.5 0.2 0.2\n")):
        (tmp_path / home / deep).mkdir(parents=True)
        (tmp_path / home / deep / name).write_bytes(content)
    with pytest.raises(
        AmbiguousError, match=r"--format yolo: text files of rows, once a data.yaml .* names: \[cat, dog\]"
    ):
        open_data(tmp_path)
    with pytest.raises(InputError, match=r"Write data.yaml with a line such as names: \[cat, dog\]"):
        open_data(tmp_path, format="yolo")
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    truth = open_data(tmp_path)[0].truth
    assert isinstance(truth, Objects)
    assert truth.classes.tolist() == [1]
