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


def test_what_came_of_the_data_is_no_part_of_it(tmp_path: Path) -> None:
    """Runs, answers and explanations are written beside the classes when commands run in the folder of the data."""
    grown(
        tmp_path, "a/1.png", "b/2.png", "runs/one/history.png", "runs/two/history.png", "answers/1.png", "a/why/3.png"
    )
    assert folders.read(tmp_path).names == ("a", "answers", "b", "runs"), "as yet they are folders like any other"
    for name in ("runs/one/run.json", "runs/two/curve.json", "answers/predictions.jsonl", "a/why/explanations.html"):
        (tmp_path / name).write_text("{}")
    assert [one.id for one in folders.read(tmp_path)] == ["a/1.png", "b/2.png"]
    assert [one.id for one in pictures.read(tmp_path)] == ["a/1.png", "b/2.png"]
    assert folders.sniff(tmp_path).strength == 2
    assert len(pictures.read(tmp_path / "answers")) == 1, "named, they are data"


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


def test_columns_are_what_the_samples_say(tmp_path: Path) -> None:
    data = folders.read(grown(tmp_path, "train/a/1.png", "train/a/deep/2.png", "test/b/3.png"))
    rows = data.samples.rows  # type: ignore[attr-defined]
    for field in ("id", "split", "group", "names", "truth"):
        assert field == "group" or hasattr(rows[0], field), "no sample is made for it"
        said = [one.truth.names if field == "names" else getattr(one, field) for one in data]  # type: ignore[union-attr]
        assert list(data.column(field)) == said


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
        (["x/a/1.png", "x/b/1.png", "y/a/1.png", "y/b/1.png"], 2, "4 class folders in 2 folders above them, as 'x/a'"),
        (["2024/01/1.png", "2024/02/1.png", "2025/01/1.png", "2025/02/1.png"], 1, "numbers alone"),
        (["x/a/1.png", "x/b/1.png", "y/a/1.png", "y/b/c/1.png"], 0, "but in"),
        (["a/images/1.png", "a/masks/1.png", "b/images/1.png", "b/masks/1.png"], 0, "but in"),
        (["train/1.png", "trainannot/1.png"], 1, "'trainannot' looks like the masks of 'train'"),
        (["input/1.png", "target/1.png"], 1, "pictures in pairs"),
        (["a/1_LR.png", "a/1_HR.png", "b/1_LR.png", "b/1_HR.png"], 1, "end in lr and hr"),
        (["1.png"], 0, "no folders with pictures"),
    ],
)
def test_what_is_natural(files: list[str], strength: int, why: str, tmp_path: Path) -> None:
    fit = folders.sniff(grown(tmp_path, *files))
    assert fit.strength == strength
    assert why in fit.why
    assert pictures.sniff(tmp_path).strength < 2 or strength == 0


def test_folders_in_folders_are_a_hierarchy(tmp_path: Path) -> None:
    files = ["cat/lion/1.png", "cat/lynx/1.png", "dog/fox/1.png", "dog/wolf/1.png"]
    data = folders.read(grown(tmp_path / "whole", *files))
    assert data.names == ("cat/lion", "cat/lynx", "dog/fox", "dog/wolf")
    assert data.details["parents"]["dog/fox"] == "dog"
    assert data[2].id == "dog/fox/1.png"
    split = folders.read(grown(tmp_path / "split", *(f"{side}/{file}" for file in files for side in ("train", "test"))))
    assert split.details == data.details
    assert {one.split for one in split} == {"train", "test"}


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

    for ask in (_walk.pictures, _walk.names, _walk.subfolders):
        with pytest.raises(InputError, match="No such file"):
            list(ask(tmp_path / "gone"))


def test_a_look_sees_what_has_just_come(tmp_path: Path) -> None:
    from sightline.formats import _walk

    os.utime(tmp_path, (1, 1))
    assert _walk.look(tmp_path).pictures == ()
    grown(tmp_path, "1.png", "b/2.png")
    assert (_walk.look(tmp_path).pictures, _walk.look(tmp_path).folders) == (("1.png",), ("b",))


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
