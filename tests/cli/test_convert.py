"""The command that converts: what it says, what it leaves alone, and how it ends."""

from pathlib import Path

from tests.cli.conftest import Command
from tests.formats.test_folders import grown


def labelled(folder: Path) -> Path:
    """Class folders beside a table that says more of the same pictures."""
    grown(folder, "good/1.png", "bad/2.png")
    (folder / "labels.csv").write_text("file,label,patient,site\ngood/1.png,good,p1,x\nbad/2.png,bad,p2,y\n")
    return folder


def test_what_is_lost_is_listed_and_refused_when_strict(sightline: Command, tmp_path: Path) -> None:
    labelled(tmp_path / "data")
    asked = sightline("convert", "data", "out", "--to", "folders")
    assert asked.status == 2
    assert "error[ambiguous]" in asked.err
    strict = sightline("convert", "data", "out", "--to", "folders", "--format", "csv", "--strict")
    assert strict.status == 2
    assert "cannot hold its group" in strict.err
    assert not (tmp_path / "out").exists()
    done = sightline("convert", "data", "out", "--to", "folders", "--format", "csv")
    assert done.status == 3
    assert "2 samples written as folders to out: 2 kinds of things could not be kept" in done.out
    assert "- 2 x group (first in good/1.png)" in done.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bad", "good"]


def test_without_loss_it_ends_with_nothing_to_say(sightline: Command, tmp_path: Path) -> None:
    labelled(tmp_path / "data")
    done = sightline("convert", "data", "out", "--to", "jsonlines", "--format", "csv", "--json")
    assert done.status == 0
    assert (done.document["count"], done.document["losses"], done.document["format"]) == (2, [], "csv")
    again = sightline("convert", "data", "out", "--to", "jsonlines", "--format", "csv", "--json")
    assert again.status == 2
    assert again.document["error"]["code"] == "storage"
    unknown = sightline("convert", "data", "other", "--to", "coca")
    assert unknown.status == 2
    assert "Did you mean 'coco'" in unknown.err
