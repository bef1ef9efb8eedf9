"""From a word to a data set: what is natural is taken, the rest is refused with what was found and what is wanted."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Labels
from sightline.core.data import open_data, open_stream, recognise
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError, SightlineError
from sightline.core.image import encode

PICTURE = encode(np.zeros((2, 2, 1), np.uint8))


def grown(folder: Path, *files: str, data: bytes = PICTURE) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_a_data_set_is_itself() -> None:
    data = Dataset([])
    assert open_data(data) is data


def test_a_drawn_world() -> None:
    assert len(open_data("drawn:parts?count=3&size=32")) == 3


def test_class_folders(tmp_path: Path) -> None:
    data = open_data(grown(tmp_path, "good/1.png", "bad/2.png"))
    assert (data.kind, data.names, len(data)) == (Labels, ("bad", "good"), 2)


def test_one_picture_and_a_pattern(tmp_path: Path) -> None:
    grown(tmp_path, "a/1.png", "a/2.png", "a/3.txt", "a/.hidden.png")
    assert len(open_data(tmp_path / "a" / "1.png")) == 1
    assert len(open_data(str(tmp_path / "a" / "*.png"))) == 2
    assert len(open_data(str(tmp_path / "**"))) == 2
    with pytest.raises(AmbiguousError, match="nothing that matches"):
        open_data(str(tmp_path / "a" / "*.jpg"))


def refused(where: object, **named: str) -> str:
    with pytest.raises(SightlineError) as caught:
        open_data(where, **named)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_two_natural_readings_are_both_named(tmp_path: Path) -> None:
    grown(tmp_path, "good/1.png", "bad/2.png")
    (tmp_path / "samples.jsonl").write_text('{"id": "1", "images": ["good/1.png"]}\n')
    message = refused(tmp_path)
    assert "2 ways" in message
    assert "folders: 2 class folders" in message
    assert "jsonlines: samples.jsonl holds samples" in message
    assert "--format" in message
    assert len(open_data(tmp_path, format="jsonlines")) == 1
    assert len(open_data(tmp_path, format="folders")) == 2
    assert recognise(tmp_path / "samples.jsonl") == "jsonlines"


def test_junk_is_answered_with_what_was_found_and_what_is_wanted(tmp_path: Path) -> None:
    assert "found an empty folder" in (message := refused(grown(tmp_path / "e", "x/.keep")))
    assert "no pictures and no labels" in message
    assert "docs/formats.md" in message
    assert len(message) - len(str(tmp_path)) < 200
    tables = refused(grown(tmp_path / "c", "a.csv", "notes.md", data=b"x,y\n1,2\n"))
    assert "csv: photos/labels.csv with a header like file,label" in tables
    assert sum(f"{name}: " in tables for name in catalog.names("formats")) == 3, "the nearest three"
    assert "docs/formats.md" in tables
    texts = grown(tmp_path / "t", "a.txt", "b.TXT", "c/d.txt", "LICENSE", data=b"x")
    assert "found 4 files (3 .txt, 1 no suffix)" in refused(texts)
    assert "one file. Nearest are" in refused(texts / "a.txt")


def test_one_class_is_not_guessed_to_be_anything(tmp_path: Path) -> None:
    message = refused(grown(tmp_path, "good/1.png", "good/2.png"))
    assert "found 2 files (2 .png)" in message
    assert "--format folders: only one class folder, 'good'" in message
    assert "--format pictures" in message
    assert open_data(tmp_path, format="folders").names == ("good",)
    assert open_data(tmp_path, format="pictures").kind is None


def test_what_is_not_there(tmp_path: Path) -> None:
    grown(tmp_path, "photos/1.png")
    assert "Did you mean 'photos'?" in refused(tmp_path / "photo")
    assert "does not exist" in refused(tmp_path / "nowhere" / "deep")
    assert "no source is called 'drawm'. Did you mean 'drawn'?" in refused("drawm:parts")
    assert "does not exist" in refused("a\0b")
    assert "does not exist" in refused("")
    assert "Did you mean 'pictures'" in refused(tmp_path, format="picture")


def test_a_layout_without_samples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_text('{"sightline": "samples", "version": 1}\n')
    with pytest.raises(InputError, match="holds no samples") as caught:
        open_data(tmp_path)
    assert caught.value.code == "empty"


def test_a_list_and_a_source_named_by_a_word(tmp_path: Path) -> None:
    grown(tmp_path, "1.png", "2.png", "a:b.png")
    assert len(open_data([tmp_path / "1.png", str(tmp_path / "2.png")])) == 2
    assert len(open_data((PICTURE,))) == 1
    (tmp_path / "photos.txt").write_text("2.png\n")
    assert open_data(f"list:{tmp_path}/photos.txt")[0].id == "2.png"
    assert len(open_data(tmp_path / "a:b.png")) == 1


def test_an_archive_is_read_by_its_name_but_a_format_that_is_named_wins(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("good/1.png", PICTURE)
        archive.writestr("bad/2.png", PICTURE)
    assert open_data(tmp_path / "photos.zip").names == ("bad", "good")
    assert "holds no class folders" in refused(tmp_path / "photos.zip", format="folders")
    (tmp_path / "photos.zip").rename(tmp_path / "what?.zip")
    assert len(open_data(tmp_path / "what?.zip")) == 2
    assert len(open_data(f"archive:{tmp_path / 'what?.zip'}")) == 2


@pytest.mark.parametrize(
    "word", ["s3://bucket/a", "https://host/a.jpg?x=1", "HTTP://HOST/*.png", "file:///etc", "s3:/b"]
)
def test_an_address_is_not_followed(word: str) -> None:
    with pytest.raises(InputError, match="nothing is read from elsewhere unless") as caught:
        open_data(word)
    assert caught.value.code == "unsupported"
    assert f"write store:{word}" in caught.value.message
    with pytest.raises(InputError, match="nothing is read from elsewhere unless"):
        open_stream(word)


def test_what_can_and_cannot_be_a_stream(tmp_path: Path) -> None:
    with open_stream({"left": "camera:drawn?count=2&size=32", "right": "camera:drawn?count=1&size=32"}) as stream:
        assert sorted(shot.source for shot in stream) == ["left", "left", "right"]
    with pytest.raises(InputError, match="Streams begin with camera:, video:, watch:"):
        open_stream(grown(tmp_path, "1.png"))
    with pytest.raises(InputError, match="pictures come one by one"):
        open_data("camera:drawn")
