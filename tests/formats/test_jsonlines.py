"""JSON lines: lazy, quick to open, and every fault is named by file and line."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.annotations import Labels, Picture, Regions
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, encode
from sightline.core.sample import Sample
from sightline.core.splitting import split
from sightline.formats import jsonlines


def lines(folder: Path, *rows: Any) -> Path:
    folder.mkdir(exist_ok=True)
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / "samples.jsonl").write_text(text + "\n")
    return folder


HEADER = {"sightline": "samples", "version": 1}


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    truth = {"kind": "labels", "names": ["good"]}
    path = lines(tmp_path, "", {"id": "1", "images": ["1.png"], "truth": truth}, "", {"id": "2"})
    data = jsonlines.read(path)
    assert (len(data), data.kind, data.names, data.name) == (2, Labels, ("good",), tmp_path.name)
    assert data[0].image.name == str(tmp_path / "1.png")
    assert data[1].truth is None
    assert [one.id for one in data[::-1]] == ["2", "1"]
    assert [one.id for one in data.samples[:1]] == ["1"]
    assert jsonlines.read(path / "samples.jsonl")[0].id == "1"


def test_a_header_says_names_and_kind(tmp_path: Path) -> None:
    data = jsonlines.read(lines(tmp_path, {**HEADER, "name": "n", "names": ["b", "a"], "kind": "regions"}, {"id": "1"}))
    assert (data.name, data.names, data.kind, len(data)) == ("n", ("b", "a"), Regions, 1)
    assert jsonlines.read(lines(tmp_path, {**HEADER, "kind": None}, {"id": "1"})).kind is None


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("\udcff".encode("utf-8", "surrogatepass").decode("latin-1"), "not JSON"),
        ([1], "object in braces"),
        ({}, "needs an 'id'"),
        ({"id": 3}, "needs an 'id'"),
        ({"id": ""}, "needs an 'id'"),
        ({"id": "0"}, "the id '0' was used in line 2"),
        ({"id": "1", "lable": 3}, "no 'lable'"),
        ({"id": "1", "image": ["1.png"]}, "Did you mean 'images'"),
        ({"id": "1", "images": "1.png"}, "list of paths"),
        ({"id": "1", "images": [3]}, "not the path"),
        ({"id": "1", "images": [""]}, "not the path"),
        ({"id": "1", "images": ["a\0b"]}, "not the path"),
        ({"id": "1", "images": ["/etc/passwd"]}, "outside the folder"),
        ({"id": "1", "images": ["a/../../x.png"]}, "outside the folder"),
        ({"id": "1", "images": ["..\\x.png"]}, "outside the folder"),
        ({"id": "1", "images": ["C:\\x.png"]}, "outside the folder"),
        ({"id": "1", "images": ["\\\\host\\x.png"]}, "outside the folder"),
        ({"id": "1", "group": 3}, "'group' must be a string"),
        ({"id": "1", "given": []}, "'given' must be an object"),
        ({"id": "1", "split": "training"}, "none of train, val, test"),
        ({"id": "1", "truth": []}, "must be an object with a 'kind'"),
        ({"id": "1", "truth": {"kind": "lables"}}, "no kind of annotation"),
        (
            {"id": "1", "truth": {"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [4], "names": []}},
            "class 4 has no name",
        ),
        ({"id": "1", "truth": {"kind": "picture", "pixels": {"file": "../x.npy"}}}, "outside the folder"),
        ({"id": "1", "truth": {"kind": "picture", "pixls": {"file": "x.npy"}}}, "Did you mean 'pixels'"),
        ({"id": "1", "truth": {"kind": "heatmap", "score": {"file": "x.npy"}}}, "no array 'score'"),
        ({"id": "1", "truth": {"kind": "objects", "boxes": {"file": "x.npy"}}}, "lacks 'classes'"),
        ({"id": "1", "truth": {"kind": "thing", "boxes": {"file": "x.npy"}}}, "no kind of annotation"),
        ({**HEADER}, "needs an 'id'"),
    ],
)
def test_every_fault_names_its_line(row: Any, why: str, tmp_path: Path) -> None:
    path = lines(tmp_path, HEADER, {"id": "0"}, row)
    with pytest.raises(InputError) as caught:
        list(jsonlines.read(path))
    assert f"{tmp_path / 'samples.jsonl'} line 3: " in caught.value.message
    assert caught.value.message.count("line 3") == 1
    assert why in caught.value.message
    assert len(caught.value.message) < 500 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"sightline": "samples", "version": 2}, "version 2; this release reads 1"),
        ({"sightline": "model", "version": 1}, "this release reads 1"),
        ({**HEADER, "nams": []}, "Did you mean 'names'"),
        ({**HEADER, "names": "a"}, "list of strings"),
        ({**HEADER, "kind": "thing"}, "no kind"),
        ({**HEADER, "name": 3}, "must be a string"),
        ({**HEADER, "details": []}, "'details' must be an object"),
    ],
)
def test_a_wrong_header_names_its_line(header: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1") as caught:
        jsonlines.read(lines(tmp_path, header))
    assert why in caught.value.message


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "_LONGEST", 1000)
    with pytest.raises(InputError, match="line 1: longer than 1,000 bytes") as caught:
        jsonlines.read(lines(tmp_path, '{"id": "' + "x" * 5000))
    assert caught.value.code == "too_large"


def test_missing_files(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no.jsonl"):
        with pytest.raises(InputError, match="No such file") as caught:
            jsonlines.read(path)
        assert caught.value.code == "missing"


def test_a_file_that_changed_is_not_read_on(tmp_path: Path) -> None:
    data = jsonlines.read(lines(tmp_path, {"id": "1"}, {"id": "2"}))
    time.sleep(0.01)
    lines(tmp_path, {"id": "other"}, {"id": "rows"})
    with pytest.raises(InputError, match="changed after it was opened"):
        _ = data[0]
    (tmp_path / "samples.jsonl").unlink()
    with pytest.raises(InputError, match="No such file"):
        _ = data[1]


def large(folder: Path) -> Dataset:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 80, 3)).astype(np.uint8)
    kept = Sample("1", (ArrayImage(pixels[:5]),), Picture(pixels))
    return jsonlines.read(jsonlines.write(Dataset([kept]), folder / "data"))


def test_a_large_truth_is_read_when_it_is_looked_at(tmp_path: Path) -> None:
    data = large(tmp_path)
    truth, moved = data[0].truth, replace(data[0], id="x").truth
    parted = split(data)
    (file,) = (tmp_path / "data" / "files" / ".truth").iterdir()
    whole = file.read_bytes()
    file.write_bytes(encode(np.zeros((3, 4, 3), np.uint8)))
    for one in (truth, moved, parted[0].truth):
        assert isinstance(one, Picture)
        assert one.pixels.shape == (3, 4, 3), "nothing was read before"
    other = replace(truth, pixels=np.ones((1, 1, 1), np.uint8))  # type: ignore[type-var]
    assert other.pixels.shape == (1, 1, 1)  # type: ignore[union-attr]
    assert isinstance(other, Picture)
    with pytest.raises(AttributeError, match="Picture has no 'boxes'"):
        _ = truth.boxes  # type: ignore[union-attr]
    file.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"samples.jsonl line 2"):
        _ = truth.pixels  # type: ignore[union-attr]
    file.unlink()
    with pytest.raises(InputError, match=r"samples.jsonl line 2"):
        _ = truth.pixels  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "told", "why"),
    [
        (b"no array", {}, "not a readable array"),
        (b"", {}, "not a readable array"),
        (encode(np.zeros((5, 5), np.uint8))[:-3], {}, "not a readable array"),
        (encode(np.zeros((5, 5), "U3")), {}, "an array of"),
        (encode(np.zeros((5, 5), np.float64)), {}, "whole numbers"),
        (encode(np.full((5, 5), 7, np.uint8).reshape(5, 5, 1, 1)[..., 0, 0]), {}, "class 7 has no name"),
        (encode(np.zeros(5, np.uint16)), {"bits": [9, 9, 9]}, "does not hold"),
        (encode(np.zeros(5, np.uint16)), {"bits": ["x"]}, "does not hold"),
    ],
)
def test_a_damaged_array_is_one_line(data: bytes, told: dict[str, Any], why: str, tmp_path: Path) -> None:
    truth = {"kind": "regions", "names": ["a"], "classes": {"file": "x.npy", **told}}
    (tmp_path / "x.npy").write_bytes(data)
    record = jsonlines.read(lines(tmp_path, {"id": "1", "truth": truth}))[0].truth
    with pytest.raises(InputError, match="line 1") as caught:
        _ = record.classes  # type: ignore[union-attr]
    assert why in caught.value.message


def test_an_array_file_that_is_not_there(tmp_path: Path) -> None:
    truth = {"kind": "regions", "names": ["a"], "classes": {"file": "x.npy"}}
    record = jsonlines.read(lines(tmp_path, {"id": "1", "truth": truth}))[0].truth
    with pytest.raises(InputError, match="No such file"):
        _ = record.classes  # type: ignore[union-attr]


@pytest.mark.parametrize("given", [{"x": np.zeros(2)}, {"x": float("nan")}, {3: 4}, {"x": {1, 2}}])
def test_what_is_no_json_is_refused(given: dict[Any, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plain JSON"):
        jsonlines.write(Dataset([Sample("1", given=given)]), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_details_of_the_whole_are_kept(tmp_path: Path) -> None:
    told = {"licenses": [{"id": 1}], "parents": {"cat": "animal"}}
    assert jsonlines.read(jsonlines.write(Dataset([Sample("1")], details=told), tmp_path / "new")).details == told
    with pytest.raises(InputError, match="plain JSON"):
        jsonlines.write(Dataset([Sample("1")], details={"a": {1: 2}}), tmp_path / "other")


def test_ids_must_differ(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two samples have the id '1'"):
        jsonlines.write(Dataset([Sample("1"), Sample("1")]), tmp_path / "new")


def test_a_hundred_thousand_lines_open_in_seconds(tmp_path: Path) -> None:
    truth = {"kind": "objects", "boxes": [[1, 2, 3, 4]], "classes": [0], "names": ["a"]}
    row = json.dumps({"id": "%d", "images": ["%d.jpg"], "truth": truth})
    path = lines(tmp_path, *(row.replace("%d", str(n)) for n in range(100_000)))
    begun = time.process_time()
    data = jsonlines.read(path)
    assert len(data) == 100_000
    assert data[99_999].id == "99999"
    assert time.process_time() - begun < 5


WORDS = ("kind", "names", "boxes", "file", "id", "base64", "dtype", "shape")
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(jsonlines._KEYS), JSON, max_size=4))
def test_any_json_gives_a_sample_or_one_line(row: dict[str, Any]) -> None:
    from sightline.formats.jsonlines import _sample

    try:
        _sample({"id": "1", **row}, Path("folder"), "file line 1")
    except InputError as error:
        assert error.message.startswith("file line 1: ")  # noqa: PT017 - an answer is fine too
