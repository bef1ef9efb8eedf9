"""Lists of pictures: from Python and from a text file, each picture once, nothing touched before it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data
from sightline.core.errors import InputError, SightlineError
from sightline.core.image import encode

PICTURE = encode(np.full((2, 3, 1), 7, np.uint8))


def place(folder: Path) -> str:
    """A small list, for the contract of all sources."""
    for number in range(4):
        (folder / f"{number}.png").write_bytes(encode(np.full((2, 3, 1), number, np.uint8)))
    (folder / "photos.txt").write_text("".join(f"{number}.png\n" for number in range(4)))
    return str(folder / "photos.txt")


def refused(where: object) -> str:
    with pytest.raises(SightlineError) as caught:
        open_data(where)
    return caught.value.message


def test_a_python_list_of_paths(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PICTURE)
    data = open_data([tmp_path / "1.png", str(tmp_path / "gone.png")])
    assert len(data) == 2
    assert data[0].id == (tmp_path / "1.png").as_posix()
    assert data[0].pixels().shape == (2, 3, 1)
    with pytest.raises(InputError, match=r"gone\.png"):
        data[1].pixels()
    assert data[-1].id.endswith("gone.png")
    assert [sample.id for sample in data[0:2]] == [sample.id for sample in data]


def test_a_list_of_pictures_in_memory() -> None:
    data = open_data((PICTURE, np.zeros((4, 4), np.uint16)))
    assert [sample.id for sample in data] == ["000000", "000001"]
    assert data[1].pixels().dtype == np.uint16


def test_a_text_file_whose_paths_begin_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "ünï.png").write_bytes(PICTURE)
    (tmp_path / "2.png").write_bytes(PICTURE)
    text = f"\ufeff# chosen by hand\r\na b/ünï.png\r\n\n{tmp_path / '2.png'}\n"
    (tmp_path / "photos.txt").write_text(text, encoding="utf-8")
    data = open_data(f"list:{tmp_path / 'photos.txt'}")
    assert [sample.pixels().shape for sample in data] == [(2, 3, 1)] * 2
    assert data[0].id == "a b/ünï.png"
    assert (data.name, data.kind) == ("photos", None)


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    name = b"\xff\xfe.png".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_bytes(PICTURE)
    (tmp_path / "photos.txt").write_bytes(b"\xff\xfe.png\n")
    assert open_data(f"list:{tmp_path / 'photos.txt'}")[0].pixels().shape == (2, 3, 1)


def test_what_a_list_may_not_say(tmp_path: Path) -> None:
    file = tmp_path / "photos.txt"

    def said(text: str) -> str:
        file.write_text(text)
        return refused(f"list:{file}")

    assert "names 'a.png' twice, as 1 and as 3" in said("a.png\nb.png\na.png\n")
    assert "is no path" in said("a\0b.png\n")
    assert "line 2" in said("a.png\n" + "x" * 5000)
    assert "names no pictures" in said("\n# nothing\n")
    assert "is an address" in said("https://host/a\n")
    (tmp_path / "folder").mkdir()
    assert "is a folder" in said("folder\n")
    assert "No such file" in refused(f"list:{tmp_path / 'nowhere.txt'}")
    assert "is no file" in refused(f"list:{tmp_path}")
    assert "holds no pictures" in refused([])
    assert "not dict" in refused(["a.png", {}])
    assert "twice" in refused(["a.png", "a.png"])
