"""Records of JSON: what keys mean, what stands in lists and objects, and the record that is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects, Text, Value
from sightline.core.data import open_data, recognise
from sightline.core.errors import AmbiguousError, InputError
from tests.formats.test_folders import grown


def lines(folder: Path, *records: Any, name: str = "metadata.jsonl") -> Path:
    """One record a line, and three pictures beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return grown(folder, "a.png", "b.png", "c.png")


def whole(folder: Path, value: Any, name: str = "labels.json") -> Path:
    """One value of JSON, and three pictures beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(value))
    return grown(folder, "a.png", "b.png", "c.png")


@pytest.mark.parametrize(
    ("records", "truths"),
    [
        ([{"file_name": "a.png", "label": "cat"}, {"file_name": "b.png", "label": None}], [("cat",), None]),
        ([{"image": "a.png", "label": 1}, {"image": "b.png", "label": 0}], [("1",), ("0",)]),
        ([{"image": "a.png", "label": float("nan")}, {"image": "b.png", "label": "x"}], [None, ("x",)]),
        ([{"image": "a", "tags": ["x", "y"]}, {"image": "b", "tags": []}], [("x", "y"), ()]),
        ([{"image": "a.png", "label": ["x", "y"]}, {"image": "b.png", "label": ["y"]}], [("x", "y"), ("y",)]),
        ([{"image": "a.png", "labels": ["x, y"]}], [("x, y",)]),
        ([{"image": "a.png", "sun": True, "wet": False}, {"image": "b.png", "sun": 0, "wet": 1}], [("sun",), ("wet",)]),
        ([{"label": "cat", "image": "a.png"}, {"image": "b.png", "label": "dog", "late": 3}], [("cat",), ("dog",)]),
    ],
)  # fmt: skip
def test_names(records: list[Any], truths: list[Any], tmp_path: Path) -> None:
    assert recognise(lines(tmp_path, *records)) == "records"
    data = open_data(tmp_path)
    assert data.kind is Labels
    assert [None if one.truth is None else one.truth.names for one in data] == truths  # type: ignore[attr-defined]


def test_numbers_texts_and_what_else_is_said(tmp_path: Path) -> None:
    first = open_data(lines(tmp_path / "n", {"image": "a.png", "value": 0.5, "mm": 3, "at": {"x": 1}, "day": "Mon"}))[0]
    assert isinstance(first.truth, Value)
    assert first.truth.numbers.tolist() == [0.5]
    assert first.attributes == {"mm": 3, "at": '{"x": 1}', "day": "Mon"}
    text = open_data(lines(tmp_path / "t", {"file_name": "a.png", "text": "a cat", "attributes": {"x": [1]}}))[0]
    assert isinstance(text.truth, Text)
    assert (text.truth.text, text.attributes) == ("a cat", {"x": [1]})


def test_boxes_in_columns(tmp_path: Path) -> None:
    """As Hugging Face writes them: corner and size, and a list of names under one of some keys."""
    boxes = {"bbox": [[1, 2, 3, 4.5], [0, 0, 2, 2]], "categories": [1, 0]}
    empty = {"bbox": [], "categories": []}
    data = open_data(
        lines(tmp_path, {"file_name": "a.png", "objects": boxes}, {"file_name": "b.png", "objects": empty})
    )
    first, second = (one.truth for one in data)
    assert isinstance(first, Objects)
    assert isinstance(second, Objects)
    np.testing.assert_array_equal(first.boxes, [[1, 2, 4, 6.5], [0, 0, 2, 2]])
    assert [first.names[place] for place in first.classes] == ["1", "0"]
    assert len(second) == 0
    nameless = open_data(lines(tmp_path / "x", {"file_name": "a.png", "objects": {"bbox": [[1, 2, 3, 4]]}}))
    assert nameless.names == ("object",)


@pytest.mark.parametrize(
    ("value", "truths"),
    [
        ([{"image": "a.png", "label": "cat"}, {"image": "b.png", "label": "dog"}], [("cat",), ("dog",)]),
        ({"a.png": "cat", "b.png": "dog"}, [("cat",), ("dog",)]),
        ({"a.png": ["x", "y"], "b.png": []}, [("x", "y"), ()]),
        ({"a.png": {"label": "cat"}, "b.png": {"label": "dog"}}, [("cat",), ("dog",)]),
    ],
)
def test_one_value_of_json(value: Any, truths: list[Any], tmp_path: Path) -> None:
    assert recognise(whole(tmp_path, value)) == "records"
    assert [one.truth.names for one in open_data(tmp_path)] == truths  # type: ignore[union-attr]
    assert [one.truth.names for one in open_data(tmp_path / "labels.json")] == truths  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.csv"])
def test_one_file_a_side(name: str, tmp_path: Path) -> None:
    """The folder of pictures as Hugging Face lays it out; without this its labels went unseen."""
    for side, label in (("train", "cat"), ("test", "dog")):
        lines(tmp_path / side, {"file_name": "a.png", "label": label}, name="metadata.jsonl")
        if name.endswith(".csv"):
            (tmp_path / side / "metadata.jsonl").unlink()
            (tmp_path / side / name).write_text(f"file_name,label\na.png,{label}\n")
    data = open_data(tmp_path)
    assert sorted((one.id, one.split, one.truth.names) for one in data) == [  # type: ignore[union-attr]
        ("test/a.png", "test", ("dog",)),
        ("train/a.png", "train", ("cat",)),
    ]
    assert list(data.samples.column("id")) == [one.id for one in data]  # type: ignore[attr-defined]
    assert data.name == tmp_path.name


def test_no_side_is_left_out_without_a_word(tmp_path: Path) -> None:
    """Neither where its table is broken, nor where it has none."""
    for side in ("train", "test"):
        lines(tmp_path / side, {"file_name": "a.png", "label": side})
    (tmp_path / "train" / "metadata.jsonl").write_text('{"file_name": "a.png"')
    for format in (None, "records"):
        with pytest.raises((AmbiguousError, InputError), match=r"train/metadata.jsonl line 1: not JSON"):
            open_data(tmp_path, format=format)
    (tmp_path / "train" / "metadata.jsonl").unlink()
    with pytest.raises(AmbiguousError, match=r"no table is in train, and pictures are named in: test/metadata.jsonl"):
        open_data(tmp_path)
    assert [one.id for one in open_data(tmp_path, format="records")] == ["a.png"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_labels_further_in_are_not_passed_over(suffix: str, tmp_path: Path) -> None:
    grown(tmp_path / "images", "a.png", "b.png")
    (tmp_path / "notes").mkdir()
    file = tmp_path / "notes" / f"all.{suffix}"
    file.write_text('{"file": "a.png", "label": "x"}\n' if suffix == "jsonl" else "file,label\na.png,x\n")
    with pytest.raises(AmbiguousError, match=rf"further in: notes/all.{suffix}"):
        open_data(tmp_path)
    (found,) = open_data(tmp_path, format="records" if suffix == "jsonl" else "csv")
    assert (found.id, found.pixels().shape) == ("a.png", (2, 2, 1))


def test_a_table_in_each_of_several_folders_is_read_when_named(tmp_path: Path) -> None:
    for site in ("north", "south"):
        lines(tmp_path / site, {"image": "a.png", "label": site[0]}, name="labels.jsonl")
    data = open_data(tmp_path, format="records")
    assert [(one.id, one.truth.names) for one in data] == [("north/a.png", ("n",)), ("south/a.png", ("s",))]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"image": "a.png", "bbox": [1, 2, 3, 4]}, "line 2: 'bbox' may be meant in several ways and is not read"),
        ({"image": "a.png", "annotations": [{"label": "x"}]}, "'annotations' may be meant in several ways"),
        ({"image": "a.png", "objects": {"bbox": [[1, 2, 3]]}}, "line 2: a box has four numbers, not 3"),
        ({"image": "a.png", "objects": {"bbox": [[1, 2, 3, 4]], "category": []}}, "1 boxes and 0 names"),
        ({"image": "a.png", "objects": {"bbox": [[1, 2, 3, "x"]]}}, "must be a list of numbers"),
        ({"image": "a.png", "objects": [], "label": "x"}, "'objects' must be an object"),
        ({"image": "a.png", "objects": {"bbox": []}, "label": "x"}, "'label' beside 'objects'"),
        ({"image": "a.png", "labels": ["a|b"]}, "holds the mark |"),
        ({"image": "a.png", "label": "x", "Label": "y"}, "two keys are called"),
        ({"image": "../a.png", "label": "x"}, "leads outside"),
        ([1], "a record must be an object"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(record: Any, said: str, tmp_path: Path) -> None:
    lines(tmp_path, {"image": "b.png"}, record)
    with pytest.raises(InputError, match=r"metadata.jsonl") as caught:
        list(open_data(tmp_path, format="records"))
    assert said in caught.value.message


def test_a_record_of_a_list_is_called_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels.json record 2: a record must be an object"):
        open_data(whole(tmp_path, [{"image": "a.png", "label": "x"}, 3]), format="records")


def test_a_line_that_is_cut_stops_the_reading(tmp_path: Path) -> None:
    lines(tmp_path, {"image": "a.png", "label": "x"}, {"image": "b.png", "label": "y"})
    file = tmp_path / "metadata.jsonl"
    file.write_text(file.read_text()[:-8])
    with pytest.raises((InputError, AmbiguousError), match=r"metadata.jsonl line 2: not JSON"):
        open_data(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", '{"rate": 3}'),
        ("log.jsonl", '{"epoch": 1, "loss": 2}\n'),
        ("chat.json", '[{"name": "x"}]'),
        ("one.json", "[3]"),
        ("predictions.jsonl", '{"image": "a.png", "label": "x"}\n'),
    ],
)
def test_other_json_beside_pictures_is_left_alone(name: str, text: str, tmp_path: Path) -> None:
    grown(tmp_path, "a.png", "b.png")
    (tmp_path / name).write_text(text)
    assert recognise(tmp_path) == "pictures"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "a red thing"),
        ("a.json", '{"label": "x"}'),
        ("cut.json", '[{"image": "a.png"'),
        ("via.json", '{"a.png123": {"filename": "a.png"}}'),
        ("notes.xml", "<all><one file='b.png'/></all>"),
        ("labels.xlsx", "PK"),
    ],
)
def test_what_speaks_of_pictures_and_is_not_read_is_named(name: str, text: str, tmp_path: Path) -> None:
    """Their labels would be lost without a word."""
    grown(tmp_path, "a.png", "b.png")
    (tmp_path / name).write_text(text)
    with pytest.raises(AmbiguousError, match=f"--format pictures: pictures, without what {name} may say of them"):
        open_data(tmp_path)
    assert len(open_data(tmp_path, format="pictures")) == 2


def test_a_readme_says_nothing_of_one_picture(tmp_path: Path) -> None:
    grown(tmp_path, "a.png", "b.png")
    (tmp_path / "README.txt").write_text("Taken in May.")
    assert recognise(tmp_path) == "pictures"


def test_records_with_an_id_are_no_samples_of_ours(tmp_path: Path) -> None:
    lines(tmp_path, {"id": 7, "image": "a.png", "label": "x"}, {"id": 8, "image": "b.png", "label": "y"})
    assert recognise(tmp_path / "metadata.jsonl") == "records"
    assert [one.id for one in open_data(tmp_path / "metadata.jsonl")] == ["7", "8"]
