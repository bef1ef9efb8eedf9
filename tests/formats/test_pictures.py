"""Pictures alone: taken only where no label could be meant."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core.errors import InputError
from sightline.core.image import encode
from sightline.formats import pictures
from tests.formats.test_folders import grown


@pytest.mark.parametrize(
    ("files", "strength"),
    [
        (["1.png", "2.png"], 2),
        (["1.png", "deep/2.png", "other/3.txt"], 1),  # 'deep' looks like a class whose siblings are missing
        (["2024/01/1.png", "2025/01/2.png"], 1),
        (["roll/day/hour/1.png", "roll/day/1.png"], 1),
        (["train/1.png", "test/1.png"], 2),
        (["a/1.png", "b/2.png"], 1),
        (["x/a/1.png", "x/b/2.png"], 1),
        (["1.txt"], 2),
    ],
)
def test_what_is_natural(files: list[str], strength: int, tmp_path: Path) -> None:
    fit = pictures.sniff(grown(tmp_path, *files))
    assert fit.strength == (0 if files == ["1.txt"] else strength)


def test_everything_is_read_in_order(tmp_path: Path) -> None:
    data = pictures.read(grown(tmp_path, "b.png", "a.png", "z/c.png", ".x/d.png", "e.txt"))
    assert [one.id for one in data] == ["a.png", "b.png", "z/c.png"]
    assert data.kind is None
    assert data.names == ()


def test_folders_called_as_splits_are_splits(tmp_path: Path) -> None:
    data = pictures.read(grown(tmp_path, "train/1.png", "valid/2.png"))
    assert [one.split for one in data] == ["train", "val"]


def test_one_file_and_patterns(tmp_path: Path) -> None:
    grown(tmp_path, "a.png", "b.png", "d/c.png")
    assert pictures.sniff(tmp_path / "a.png").strength == 2
    assert [Path(one.id).name for one in pictures.read(tmp_path / "?.png")] == ["a.png", "b.png"]
    assert [Path(one.id).name for one in pictures.read(tmp_path / "**" / "*.png")] == ["a.png", "b.png", "c.png"]
    assert pictures.sniff(tmp_path / "*.jpg").strength == 0
    assert len(pictures.read(tmp_path / "*.jpg")) == 0


def test_other_splits_are_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    data = pictures.read(grown(tmp_path, "train/1.png", "test/2.png"))
    with pytest.raises(InputError, match="train, val, test"):
        pictures.write(data.map(lambda one: replace(one, split="holdout")), tmp_path / "new")
    assert encode(np.zeros((2, 2, 1), np.uint8)) == data[0].image.encoded()
