"""Sides are written down by id, come back as they were, and a file that does not fit is one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError, RunError
from sightline.core.image import ArrayImage, encode
from sightline.core.sample import Sample
from sightline.core.sides import NAME, held_out, is_sides, read_sides, recall, reopen, write_sides
from sightline.core.splitting import split, split_digest


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for n in range(30):
        path = tmp_path / "photos" / "ab"[n % 2] / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(rng.integers(0, 255, (9, 9, 3)).astype(np.uint8)))
    return tmp_path / "photos"


def info(where: Path | None) -> dict[str, Any]:
    return {
        "data": {"where": None if where is None else str(where), "format": None},
        "settings": {"seed": 1, "split_by": ""},
    }


def test_a_file_of_sides_opens_as_the_parted_data(photos: Path, tmp_path: Path) -> None:
    parted = split(open_data(photos), seed=5)
    seal = write_sides(parted, tmp_path / "kept" / "mine.jsonl", where=str(photos))
    back = open_data(tmp_path / "kept" / "mine.jsonl")
    assert seal == split_digest(parted) == split_digest(back)
    assert [one.id for one in back] == [one.id for one in parted]
    assert (back.names, back.kind, back.name) == (("a", "b"), Labels, "photos")
    assert split(back) is back, "what is written is a split that the data brings"
    assert json.loads((tmp_path / "kept" / "mine.jsonl").read_text().splitlines()[0])["data"] == "../photos"
    (tmp_path / "moved").mkdir()
    (tmp_path / "kept").rename(tmp_path / "moved" / "kept")
    photos.rename(tmp_path / "moved" / "photos")
    assert len(open_data(tmp_path / "moved" / "kept" / "mine.jsonl")) == 30, "both may move together"


def test_only_those_that_are_listed_are_there(photos: Path, tmp_path: Path) -> None:
    data = open_data(photos)
    write_sides(split(data).take(range(0, 30, 3)), tmp_path / "some.jsonl", where=str(photos))
    assert len(open_data(tmp_path / "some.jsonl")) == 10
    drawn = split(open_data("drawn:shapes?count=12&size=32"))
    write_sides(drawn, tmp_path / "drawn.jsonl", where="drawn:shapes?count=12&size=32")
    assert split_digest(open_data(tmp_path / "drawn.jsonl")) == split_digest(drawn)


def test_a_run_gets_back_what_was_written_and_not_what_would_be_cut_today(photos: Path, tmp_path: Path) -> None:
    parted = split(open_data(photos), seed=9)
    write_sides(parted, tmp_path / "run" / NAME)
    again = reopen(info(photos), folder=tmp_path / "run")
    assert split_digest(again) == split_digest(parted) != split_digest(reopen(info(photos)))
    assert recall(open_data(photos).take(range(20)), tmp_path / "run") is None, "other data"
    assert recall(open_data(photos), tmp_path) is None
    fewer = reopen(info(photos), open_data(photos).take(range(20)), folder=tmp_path / "run")
    assert len(fewer) == 20
    with pytest.raises(RunError, match="in memory"):
        reopen(info(None))
    with pytest.raises(InputError, match="belongs to a run and names no data"):
        open_data(tmp_path / "run" / NAME)


HEADER = {"sightline": "sides", "version": 1, "split": "x", "count": 1, "data": "photos", "format": None}
LINE = {"id": "a/0.png", "split": "val"}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{**HEADER, "version": 2}, LINE], "line 1: no file of sides that this release reads"),
        ([HEADER, "{"], "line 2: not JSON"),
        ([HEADER, [1]], "line 2: not an object"),
        ([HEADER, {"id": 3}], "line 2: wanted is"),
        ([HEADER, {**LINE, "split": "left"}], "line 2: wanted is"),
        ([HEADER, LINE, LINE], "line 3: the id 'a/0.png' was there before"),
        ([HEADER], "says 1 samples and holds 0"),
        ([HEADER, {"id": "gone.png", "split": "val"}], "lists 1 samples that photos does not have, such as 'gone.png'"),
        ([{**HEADER, "data": 3}, LINE], "names no data"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(rows: list[Any], why: str, photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "sides.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    assert is_sides(path)
    with pytest.raises(InputError, match=r"sides\.jsonl") as caught:
        open_data(path)
    assert why in caught.value.message
    assert "\n" not in caught.value.message


def test_what_is_no_file_of_sides(tmp_path: Path) -> None:
    assert not is_sides(tmp_path)
    assert not is_sides(tmp_path / "none")
    with pytest.raises(InputError, match="No such file"):
        read_sides(tmp_path / "none")
    twice = Dataset([Sample("1"), Sample("1")])
    with pytest.raises(InputError, match="ids that are there twice"):
        write_sides(twice, tmp_path / "x.jsonl")


def test_the_first_side_that_is_not_empty() -> None:
    data = Dataset(
        [Sample(str(n), (ArrayImage(np.zeros((2, 2, 1))),), split=("train", "val")[n % 2]) for n in range(4)]
    )
    assert held_out(data)[0] == "val"
    assert held_out(data, "train")[0] == "train"
    with pytest.raises(AmbiguousError, match="no samples on the side 'test'"):
        held_out(data, "test")
