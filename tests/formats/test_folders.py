"""Class folders: what is read, what is doubted, and why."""

import os
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.formats import folders, pictures

PICTURE = encode(np.zeros((2, 2, 1), np.uint8))


def grown(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PICTURE)
    return folder


def test_names_are_the_folders_sorted(tmp_path: Path) -> None:
    data = folders.read(grown(tmp_path, "b/1.png", "a/2.PNG", "a/deep/3.png", "c/.DS_Store", ".git/x.png", "b/._1.png"))
    assert data.names == ("a", "b")
    assert [(one.id, one.truth.best) for one in data] == [  # type: ignore[union-attr]
        ("a/2.PNG", "a"),
        ("a/deep/3.png", "a"),
        ("b/1.png", "b"),
    ]
    assert data.kind is Labels
    assert data.name == tmp_path.name


@pytest.mark.parametrize(
    ("folder", "split"), [("val", "val"), ("valid", "val"), ("Validation", "val"), ("TEST", "test")]
)
def test_splits_by_any_of_their_names(folder: str, split: str, tmp_path: Path) -> None:
    data = folders.read(grown(tmp_path, "train/a/1.png", "train/b/2.png", f"{folder}/a/3.png"))
    assert {one.id: one.split for one in data} == {
        "train/a/1.png": "train", "train/b/2.png": "train", f"{folder}/a/3.png": split,
    }  # fmt: skip
    assert folders.sniff(tmp_path).strength == 2
    assert "train" in folders.sniff(tmp_path).why


@pytest.mark.parametrize(
    ("files", "strength", "why"),
    [
        (["a/1.png", "b/1.png"], 2, "2 class folders"),
        (["a/x/1.png", "b/1.png"], 2, "2 class folders"),
        (["a/1.png"], 1, "only one class folder, 'a'"),
        (["a/1.png", "b/1.png", "0.png"], 1, "pictures beside the class folders"),
        (["train/a/1.png", "train/b/1.png", "extra/1.png"], 1, "'extra' beside train"),
        (["train/a/1.png", "train/b/1.png", "test/1.png"], 1, "'test' beside train"),
        (["train/a/1.png", "train/b/1.png", "train/0.png"], 1, "pictures directly in 'train'"),
        (["images/1.png", "masks/1.png"], 1, "'images' is the name of a kind of file"),
        (["train/1.png", "test/1.png"], 0, "hold pictures but no class folders"),
        (["train/1.png", "bus/1.png"], 2, "2 class folders"),
        (["x/a/1.png", "x/b/1.png"], 0, "but in"),
        (["1.png"], 0, "no folders with pictures"),
    ],
)
def test_what_is_natural(files: list[str], strength: int, why: str, tmp_path: Path) -> None:
    fit = folders.sniff(grown(tmp_path, *files))
    assert fit.strength == strength
    assert why in fit.why
    assert pictures.sniff(tmp_path).strength < 2 or strength == 0


def test_no_class_folders_is_an_error_with_an_example(tmp_path: Path) -> None:
    grown(tmp_path, "a/b/1.png")
    for path in (tmp_path, tmp_path / "a" / "b", tmp_path / "a" / "b" / "1.png", tmp_path / "gone"):
        with pytest.raises(InputError, match=r"photos/good/1.jpg"):
            folders.read(path)


def test_links_to_folders_are_classes_but_circles_end(tmp_path: Path) -> None:
    grown(tmp_path, "store/x/1.png", "data/a/1.png")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "store" / "x")
    (tmp_path / "data" / "a" / "again").symlink_to(tmp_path / "data")
    assert [one.id for one in folders.read(tmp_path / "data")] == ["a/1.png", "b/1.png"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to the super-user")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    grown(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "a").chmod(0)
    try:
        with pytest.raises(InputError, match="Permission denied"):
            folders.read(tmp_path)
    finally:
        (tmp_path / "a").chmod(0o755)


def test_a_folder_that_vanished_is_named(tmp_path: Path) -> None:
    from sightline.formats import _walk

    with pytest.raises(InputError, match="No such file"):
        list(_walk.pictures(tmp_path / "gone"))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    try:
        (tmp_path / "a").mkdir()
        Path(os.fsdecode(bytes(tmp_path) + b"/a/\xff.png")).write_bytes(PICTURE)
    except OSError:
        pytest.skip("this file system holds text only")
    grown(tmp_path, "b/1.png")
    data = folders.read(tmp_path)
    assert data.fingerprint
    assert data[0].pixels().shape == (2, 2, 1)
