"""The page shows what is there, the same each time, and says what it cannot show."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.auditing._cards import Page, Tile, fitted
from sightline.auditing.sheet import DRAWS, drawn, sheet
from sightline.core.annotations import Heatmap, Labels, Objects, Picture, Regions, Text, Value, Vector
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, UnknownNameError
from sightline.core.image import ArrayImage, FileImage
from sightline.core.sample import Sample
from sightline.formats._later import later
from sightline.sources.drawn import dataset

SIZE = (60, 90)
RNG = np.random.default_rng


def pixels(dtype: str = "uint8", channels: int = 3) -> np.ndarray:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    return (RNG(0).random((*SIZE, channels)) * top).astype(dtype)


TRUTHS = [
    None,
    Labels(("cat",)),
    Value(("age",), np.ones(1)),
    Text("hello"),
    Vector(np.ones(4)),
    Objects(np.array([[10, 10, 40, 40]], np.float32), np.array([0]), ("a",), masks=np.ones((1, *SIZE), bool)),
    Objects(np.array([[30, 30, 20, 10, 0.3]], np.float32), np.array([0]), ("a",)),
    Regions(np.ones(SIZE, np.int64), ("ground", "thing")),
    Heatmap(np.ones(SIZE, np.float32) / 2, 0.5),
    Picture(pixels()),
]


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: type(truth).__name__)
@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("uint16", 1), ("float32", 5)])
def test_every_record_on_every_depth_is_drawn_as_large_as_asked(truth: object, dtype: str, channels: int) -> None:
    if isinstance(truth, Picture):
        truth = Picture(pixels(dtype, channels))
    got = drawn(Sample("s", (ArrayImage(pixels(dtype, channels)),), truth), 180)  # type: ignore[arg-type]
    assert got.dtype == np.uint8
    assert got.shape[1:] == (180, 3) or isinstance(truth, Picture)
    assert got.shape[0] >= 120


def test_of_a_volume_the_middle_is_drawn() -> None:
    volume = np.zeros((5, *SIZE, 1), np.uint8)
    volume[2] = 200
    classes = np.zeros((5, *SIZE), np.int64)
    one = Sample("v", (ArrayImage(volume),), Regions(classes, ("background", "a")))
    assert drawn(one, 90).min() == 200
    masks = np.zeros((1, 5, *SIZE), bool)
    thing = Objects(np.array([[1, 1, 9, 9]], np.float32), np.array([0]), ("a",), masks=masks)
    assert drawn(Sample("v", (ArrayImage(volume),), thing), 90).shape == (60, 90, 3)


def test_boxes_are_drawn_where_they_are() -> None:
    """The tile is twice as large; the box's edge is where twice its corner is."""
    black = Sample(
        "s",
        (ArrayImage(np.zeros((*SIZE, 3), np.uint8)),),
        Objects(np.array([[20, 30, 50, 50]], np.float32), np.array([0]), ("",)),
    )
    got = drawn(black, 180).any(2)
    rows, columns = np.nonzero(got)
    assert columns.min() in range(38, 42)
    assert columns.max() in range(97, 101)
    assert rows.max() in range(97, 101)


def test_the_same_seed_is_the_same_page_and_another_is_another() -> None:
    data = dataset("shapes", 30, size=48)
    first, again, other = (sheet(data, count=6, moves=[], seed=seed) for seed in (0, 0, 1))
    assert (first.pixels == again.pixels).all()
    assert first.to_json() == again.to_json()
    assert first.shown != other.shown
    assert len(first.shown) == 6
    assert json.dumps(first.to_json())


def test_augmentations_are_those_of_training_or_those_named() -> None:
    data = dataset("shapes", 12, size=48)
    own = sheet(data, count=4, moves=[])
    done = {name for row in own.augmented for names in row["versions"] for name in names}
    assert {"zoom", "light"} <= done <= {"flip", "zoom", "light"}
    assert all(len(row["versions"]) == DRAWS for row in own.augmented)
    named = sheet(data, count=4, moves=["rotate", "mixup"])
    assert [row["versions"] for row in named.augmented] == [[["rotate"], ["mixup"]]] * 4
    plain = sheet(data, count=4)
    assert plain.augmented == ()
    assert len(plain.pixels) < len(own.pixels)
    with pytest.raises(UnknownNameError, match="rotate"):
        sheet(data, moves=["rotat"])


def test_what_an_augmentation_refuses_is_said_on_the_page() -> None:
    got = sheet(dataset("shapes", 4, size=48), count=1, moves=["copy_paste"])
    assert got.augmented[0]["versions"] == [[]]


def test_what_cannot_be_read_has_a_card_that_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    good = Sample("good", (ArrayImage(pixels()),), Labels(("a",)))
    got = sheet(Dataset([good, Sample("bad", (FileImage(broken),), Labels(("b",)))], name="two"), moves=["flip"])
    assert got.unreadable == ("bad",)
    assert got.shown == ("good", "bad")
    assert [row["id"] for row in got.augmented] == ["good"]
    red = (got.pixels[..., 0].astype(int) > got.pixels[..., 1].astype(int) + 100).sum()
    assert red > 30, "the reason is written"


def test_data_where_nothing_is_known_or_wanted() -> None:
    bare = Dataset([Sample("p", (ArrayImage(pixels()),))], name="bare")
    assert sheet(bare).line == "1 picture, no labels"
    assert sheet(bare, moves=[]).augmented
    with pytest.raises(InputError, match="1 or more"):
        sheet(bare, count=0)


def test_words_are_cut_to_their_room_and_strangers_cannot_break_them() -> None:
    page = Page("ti\x1b[31mtle\u202e" * 40, "line " * 400)
    page.grid([Tile(pixels(), "name/" * 60, "x" * 5000), Tile(None, "", "why " * 900)], 8)
    assert page.pixels().shape[1] == 1240
    assert fitted(np.zeros((4000, 10, 3), np.uint8), 100).shape[0] == 135
    assert fitted(np.zeros((10, 4000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_a_clean_picture_that_cannot_be_read_has_such_a_card_too() -> None:
    def broken() -> Picture:
        raise InputError("truncated", "clean/b.png: cut short.")

    whole = Sample("a", (ArrayImage(pixels()),), Picture(pixels()))
    cut = Sample("b", (ArrayImage(pixels()),), later(Picture, broken))
    got = sheet(Dataset([whole, cut], name="two", kind=Picture), moves=["flip"])
    assert got.unreadable == ("b",)
    assert [row["id"] for row in got.augmented] == ["a"]
