"""Data sets that grow picture by picture: checked, kept once, within limits, and copied whole for a training."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline.core.data import open_data
from sightline.core.encoding import encode, encode_as
from sightline.core.errors import InputError, ServingError
from sightline.core.image import BytesImage
from sightline.serving.examples import Examples, example, open_examples


def shown(level: int) -> bytes:
    return encode(np.full((8, 8, 3), level, np.uint8))


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    return open_examples(tmp_path / "examples.db", tmp_path / "examples", each=10**6, total=10**6)


def test_it_grows_and_is_copied_as_what_training_reads(examples: Examples, tmp_path: Path) -> None:
    for level in range(6):
        held = examples.add("light", [example(shown(level), "dark", group=f"roll {level % 2}")])
    held = examples.add("light", [example(shown(200 + level), "bright") for level in range(4)])
    assert (held.pictures, dict(held.names), held.kind) == (10, {"bright": 4, "dark": 6}, "labels")
    assert examples.copy("light", tmp_path / "data") == 10
    data = open_data(tmp_path / "data")
    assert len(data) == 10
    assert data.names == ("bright", "dark")
    assert sorted({sample.group for sample in data if sample.group}) == ["roll 0", "roll 1"]
    assert {int(sample.image.read()[0, 0, 0]): sample.truth.names[0] for sample in data} == {
        **dict.fromkeys(range(6), "dark"), **dict.fromkeys(range(200, 204), "bright"),
    }  # fmt: skip
    examples.add("light", [example(shown(99), "dark")])
    examples.remove("light")
    assert len(open_data(tmp_path / "data")) == 10, "a copy is what it was"
    assert all(sample.image.read().size for sample in open_data(tmp_path / "data"))
    with pytest.raises(ServingError, match="no data set 'light'"):
        examples.held("light")
    assert not (tmp_path / "examples" / "light").exists()


def test_what_is_said_last_of_a_picture_holds(examples: Examples) -> None:
    examples.add("light", [example(shown(5), "bright"), example(shown(5), "dim")])
    assert examples.held("light").names == {"dim": 1}
    held = examples.add("light", [example(shown(5), "dark")])
    assert (held.pictures, held.names) == (1, {"dark": 1})


def test_any_annotation_can_be_said_and_kinds_do_not_mix(examples: Examples, tmp_path: Path) -> None:
    boxes = {"kind": "objects", "boxes": [[1, 1, 5, 6]], "classes": [0], "names": ["screw"]}
    examples.add("screws", [example(shown(9), boxes)])
    examples.copy("screws", tmp_path / "data")
    [sample] = open_data(tmp_path / "data")
    assert sample.truth.names == ("screw",)
    assert sample.truth.boxes.tolist() == [[1, 1, 5, 6]]
    with pytest.raises(ServingError, match="of objects: labels belong into another") as error:
        examples.add("screws", [example(shown(10), "screw")])
    assert error.value.status == 409
    with pytest.raises(ServingError, match="belong into another"):
        examples.add("fresh", [example(shown(9), boxes), example(shown(10), "screw")])
    assert examples.names() == ["screws"]


@pytest.mark.parametrize(
    "said",
    ["", "  ", "a\nb", "x" * 101, {"kind": "nothing"}, {"names": ["a"]},
     {"kind": "objects", "boxes": [[1, 1, 5, 6]], "classes": [3], "names": []},
     {"kind": "labels", "names": {"$file": "../../secret"}}],
)  # fmt: skip
def test_what_cannot_be_true_is_refused(said: object) -> None:
    with pytest.raises(InputError) as error:
        example(shown(1), said)  # type: ignore[arg-type]
    assert error.value.code == "label"


def test_only_whole_pictures_are_taken() -> None:
    whole = encode_as(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), ".jpg")
    assert example(whole, "noise").format == "jpeg"
    for wrong in (b"", b"GIF89a", whole[: len(whole) // 2], b"<svg/>"):
        with pytest.raises(InputError):
            example(wrong, "noise")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_notes_of_place_and_camera_are_not_kept(format: str, examples: Examples, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 40, 3), np.uint8)
    notes = Image.Exif()
    notes[271], notes[274] = "Kameraform", 6  # who made the camera; which side is up
    notes.get_ifd(0x8825)[29] = "2026:01:02"  # when the satellites were asked
    turned = Image.Exif()
    turned[274] = 6
    files = [io.BytesIO(), io.BytesIO()]
    Image.fromarray(pixels).save(files[0], format, exif=notes)
    Image.fromarray(pixels).save(files[1], format, exif=turned)
    noted, plain = (file.getvalue() for file in files)
    assert b"Kameraform" in noted
    one = example(noted, "x")
    assert b"Kameraform" not in one.data
    assert b"2026:01:02" not in one.data
    assert one.digest == example(plain, "x").digest, "the same picture, whatever it was noted with"
    examples.add("one", [one])
    examples.copy("one", tmp_path / "data")
    [sample] = open_data(tmp_path / "data")
    np.testing.assert_array_equal(sample.image.read(), BytesImage(noted, "noted").read())
    assert sample.image.read().shape[:2] == (40, 24)


def test_a_data_set_and_all_of_them_have_their_limits(tmp_path: Path) -> None:
    made = [example(shown(level), "x") for level in range(10)]
    most = sum(len(one.data) for one in made[:5])
    examples = open_examples(tmp_path / "examples.db", tmp_path / "examples", each=most, total=most + len(made[5].data))
    with pytest.raises(ServingError, match=f"in this data set; the limit is {most:,}") as error:
        examples.add("one", made[:6])
    assert error.value.status == 413
    assert examples.names() == [], "all of them or none"
    examples.add("one", made[:5])
    examples.add("one", [example(shown(0), "y")])  # known bytes need no room
    with pytest.raises(ServingError, match="in all; the limit is"):
        examples.add("two", made[5:8])
    examples.add("two", made[5:6])


def test_a_picture_whose_file_was_lost_is_written_again(examples: Examples, tmp_path: Path) -> None:
    one = example(shown(3), "x")
    examples.add("one", [one])
    [file] = (tmp_path / "examples").rglob("*.png")
    file.unlink()
    examples.add("one", [one])
    assert file.read_bytes() == one.data


def test_names_are_counted_in_pictures(examples: Examples) -> None:
    for level, names in enumerate((["a", "b"], ["a"], ["a", "b"])):
        examples.add("many", [example(shown(level), {"kind": "labels", "names": names})])
    assert examples.held("many").names == {"a": 3, "b": 2}
