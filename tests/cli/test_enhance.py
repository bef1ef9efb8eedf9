"""sightline enhance: beside the picture, where asked, one line for what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.__main__ import main
from sightline.core.encoding import encode_clear
from sightline.core.image import encode, read_image
from sightline.sources.drawn import dataset
from tests.enhancing.toys import weights as made
from tests.tasks.lessons import shared_folder


@pytest.fixture
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(shared_folder(tmp_path_factory) / "enhancing")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    clean = dataset("pairs", 1, size=64, seed=7)[0].truth.pixels  # type: ignore[union-attr]
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 30, clean.shape), 0, 255).astype(np.uint8)
    path = tmp_path / "photos" / "photo.png"
    path.parent.mkdir()
    path.write_bytes(encode(noisy))
    return path


def test_it_writes_beside_the_picture_and_says_why(
    photo: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()
    assert main(["enhance", str(photo), "--weights", str(weights), "--map", "--compare"]) == 0
    told = capsys.readouterr().out
    assert "denoise (noise" in told
    names = {"photo.png", "photo-enhanced.png", "photo-enhanced-map.png", "photo-enhanced-compare.png"}
    assert {path.name for path in photo.parent.iterdir()} == names
    assert photo.read_bytes() == before
    assert read_image(photo.with_name("photo-enhanced.png")).shape == (64, 64, 3)
    assert read_image(photo.with_name("photo-enhanced-map.png")).shape == (64, 64, 1)
    assert read_image(photo.with_name("photo-enhanced-compare.png")).shape == (64, 132, 3)


def test_transparency_is_written_as_it_came(photo: Path, weights: Path) -> None:
    drawn = np.dstack([read_image(photo), np.tri(64, dtype=np.uint8) * 255])
    photo.write_bytes(encode_clear(drawn))
    assert main(["enhance", str(photo), "--what", "denoise", "--weights", str(weights)]) == 0
    made = read_image(photo.with_name("photo-enhanced.png"), alpha=True)
    np.testing.assert_array_equal(made[..., 3], drawn[..., 3])
    assert not np.array_equal(made[..., :3], drawn[..., :3])


def test_a_folder_strength_and_json(
    photo: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photo.parent / "broken.png").write_bytes(b"\x89PNG no")
    out = tmp_path / "better"
    words = ["enhance", str(photo.parent), "--out", str(out), "--weights", str(weights)]
    assert main([*words, "--what", "denoise", "--strength", "0", "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert [sorted(row) for row in said["pictures"] if "error" in row] == [["error", "picture"]]
    np.testing.assert_array_equal(read_image(out / "photo-enhanced.png"), read_image(photo))
    assert [path.name for path in out.iterdir()] == ["photo-enhanced.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing.jpg"], "nothing.jpg"),
        (["--what", "sharpest", "PHOTO"], "Known: deblock"),
        (["--strength", "2", "PHOTO"], "from 0 (unchanged) to 1"),
        (["--scale", "9", "PHOTO"], "must be 1, 2, 3 or 4"),
    ],
)
def test_what_is_wrong_is_one_line(
    photo: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enhance", *(str(photo) if word == "PHOTO" else word for word in words)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("out", ["taken", "taken.png"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    photo: Path, tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / out
    where.mkdir() if out.endswith(".png") else where.write_bytes(b"a file")
    assert main(["enhance", str(photo), "--what", "denoise", "--out", str(where), "--weights", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert str(where) in said  # and not that there are no weights in that folder
    assert ("a file stands where a folder should be" in said) is (out == "taken")
    assert said.count("\n") == 1
