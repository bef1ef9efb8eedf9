"""The command that groups pictures, as a user runs it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sightline.core.data import open_data
from sightline.core.image import encode
from tests.auditing.test_clustering import KINDS, drawn
from tests.cli.conftest import Done


def heap(place: Path) -> None:
    """Pictures of three kinds in one folder, under names that say nothing."""
    rng = np.random.default_rng(1)
    place.mkdir()
    for number in range(24):
        (place / f"{number}.png").write_bytes(encode(drawn(KINDS[number % 3], rng)))


def test_from_a_heap_to_a_first_labelled_folder(here: Callable[..., Done], tmp_path: Path) -> None:
    heap(tmp_path / "photos")
    (tmp_path / "photos" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = here("cluster", "photos", "--folders")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("24 pictures in 3 groups (found: 8, 8, 8); silhouette 0.")
    assert lines[1].startswith("group-1: 8 pictures, most usual ")
    assert lines[4].startswith("note: 1 picture could not be used")
    assert "page: groups/groups.html" in lines
    assert lines[-1].endswith("sightline train groups/pictures")
    kinds = [{int(path.stem) % 3 for path in one.iterdir()} for one in (tmp_path / "groups" / "pictures").iterdir()]
    assert sorted(map(sorted, kinds)) == [[0], [1], [2]]
    (tmp_path / "groups" / "pictures" / "group-1").rename(tmp_path / "groups" / "pictures" / "mine")
    assert set(open_data(tmp_path / "groups" / "pictures").names) == {"mine", "group-2", "group-3"}
    again = here("cluster", "photos", "--folders")
    assert again.status == 2
    assert "error[storage]: groups/pictures is not empty." in again.err


def test_as_json_and_as_asked(here: Callable[..., Done], tmp_path: Path) -> None:
    heap(tmp_path / "photos")
    words = ("cluster", "photos", "--json", "--count", "2", "--on", "gabor", "--reduce", "random:16", "--out", "here")
    first, second = here(*words), here(*words)
    assert first.status == 0, first.err
    told = first.document
    assert (told["count"], told["reduce"], sum(told["sizes"])) == (2, "random:16", 24)
    assert [score["count"] for score in told["scores"]] == [2]
    assert told["paths"]["table"] == "here/groups.csv"
    assert told["pictures"] == second.document["pictures"]
    assert "--count 2 --reduce random:16" in (tmp_path / "here" / "groups.html").read_text()
    wrong = here("cluster", "photos", "--reduce", "pca")
    assert (wrong.status, wrong.out) == (2, "")
    assert "reduce = 'pca': N must be a whole number from 1 to 4,096." in wrong.err
