"""`sightline show` as a user runs it."""

from pathlib import Path

from sightline.core.image import read_image
from tests.cli.conftest import Command

WORLD = "drawn:shapes?count=12&size=48&truth=objects"


def test_a_sheet_is_written_and_its_path_printed(sightline: Command, tmp_path: Path) -> None:
    done = sightline("show", WORLD, "--count", "4", "--augment", "--out", "deep/page.png")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "12 pictures, objects of 4 names: sphere, cube, cone, cylinder"
    assert lines[-1] == "sheet: deep/page.png"
    first = (tmp_path / "deep" / "page.png").read_bytes()
    assert read_image(first).shape[1:] == (1240, 3)
    again = sightline("show", WORLD, "--count", "4", "--augment", "--json", "--out", "again.png")
    assert (tmp_path / "again.png").read_bytes() == first
    document = again.document
    assert document["command"] == "show"
    assert len(document["shown"]) == 4
    assert document["augmented"][0]["versions"]
    assert document["paths"] == {"sheet": "again.png"}


def test_what_is_wrong_is_one_line(sightline: Command, tmp_path: Path) -> None:
    for words, says in (
        (("--out", "page.jpg"), "written as .png"),
        (("--count", "0"), "1 picture or more"),
        (("--moves", "rotat"), "Did you mean 'rotate'"),
    ):
        done = sightline("show", WORLD, *words)
        assert done.status == 2
        assert says in done.err
        assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
