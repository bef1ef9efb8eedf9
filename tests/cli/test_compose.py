"""The command that composes: what it writes, what it says, how it ends."""

from pathlib import Path

import numpy as np

from sightline.core.image import read_image, write_image
from tests.cli.conftest import Command
from tests.matchers.known import blotches


def pair(folder: Path) -> None:
    whole = blotches(160, 240)
    write_image(folder / "two" / "left.png", whole[:, :200])
    write_image(folder / "two" / "right.png", whole[:, 40:])


def test_pictures_are_composed_written_and_shown(sightline: Command, tmp_path: Path) -> None:
    pair(tmp_path)
    done = sightline("compose", "panorama", "two", "--out", "wide.png", "--show", "sheet.png", "--set", "blend=feather")
    assert done.status == 0, done.err
    assert "2 pictures became" in done.out
    wide = read_image(tmp_path / "wide.png")
    assert wide.shape[1] in range(238, 244)
    assert read_image(tmp_path / "sheet.png").shape[2] == 3
    again = sightline("compose", "align", "two/left.png", "two/right.png", "--crop", "--out", "laid", "--json")
    assert again.status == 0
    assert again.document["residuals"][0]["overlap"] > 0.7
    laid = [read_image(tmp_path / "laid" / name) for name in ("left.png", "right.png")]
    assert laid[0].shape == laid[1].shape
    assert np.abs(laid[0].astype(int) - laid[1]).mean() < 3
    assert again.document["paths"]["pictures"] == ["laid/left.png", "laid/right.png"]


def test_steps_are_written_as_numbers(sightline: Command, tmp_path: Path) -> None:
    pair(tmp_path)
    done = sightline("compose", "flow", "two", "--by", "farneback", "--set", "window=31", "--json")
    assert done.status == 0, done.err
    assert done.document["by"] == "farneback"
    assert np.load(tmp_path / "flow.npy", allow_pickle=False).shape == (160, 200, 2)


def test_what_a_user_can_fix_is_one_line(sightline: Command, tmp_path: Path) -> None:
    pair(tmp_path)
    for words, said in (
        (("panorma", "two"), "Did you mean 'panorama'?"),
        (("burst", "two/left.png"), "takes 2 pictures or more, not 1"),
        (("align", "two", "nowhere.png"), "nowhere.png"),
        (("align", "two", "--by", "homograph"), "Did you mean 'homography'?"),
        (("align", "two", "--set", "most=many"), "give a whole number"),
        (("align", "two", "--show", "sheet.jpg"), "written as .png"),
    ):
        done = sightline("compose", *words)
        assert done.status == 2
        assert said in done.err
        assert "Traceback" not in done.err
        assert len(done.err.strip().splitlines()[-1]) > 20
