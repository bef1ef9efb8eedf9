"""Shards: samples of several members, found without unpacking, with and without an index."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Labels, Text
from sightline.core.data import open_data, recognise
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample
from sightline.formats import _shards, webdataset
from sightline.formats._tar import members

PICTURE = encode(np.zeros((2, 2, 1), np.uint8))


def shard(file: Path, names: dict[str, bytes], form: int = tarfile.USTAR_FORMAT) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.TarFile(file, "w", format=form) as archive:
        for name, data in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file


def test_shards_of_others(tmp_path: Path) -> None:
    labels = {"a/1.png": PICTURE, "a/1.cls": b"1\n", "a/2.png": PICTURE, "a/2.cls": b"0"}
    shard(tmp_path / "train-000000.tar", labels)
    shard(tmp_path / "val-000000.tar", {"9.jpg": PICTURE, "9.json": b'{"width": 2, "url": "x"}', "9.txt": b"a cat"})
    assert recognise(tmp_path) == "webdataset"
    data = open_data(tmp_path)
    assert [one.id for one in data] == ["train-000000/a/1", "train-000000/a/2", "val-000000/9"]
    assert [one.split for one in data] == ["train", "train", "val"]
    assert [one.truth.names for one in data[:2]] == [("1",), ("0",)]  # type: ignore[union-attr]
    assert isinstance(data[2].truth, Text)
    assert (data[2].truth.text, data[2].attributes) == ("a cat", {"width": 2, "url": "x"})
    assert data[1].pixels().shape == (2, 2, 1)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert [one.truth.best for one in open_data(tmp_path)[:2]] == ["dog", "cat"]  # type: ignore[union-attr]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_the_standard_library(form: int, tmp_path: Path) -> None:
    names = {"1.png": b"x", "ü/2.png": b"y" * 513, "d" * 90 + "/" + "e" * 90 + ".cls": b"", "f" * 99: b"z"}
    if form != tarfile.USTAR_FORMAT:
        names["g" * 300] = b"long"
    file = shard(tmp_path / "a.tar", names, form)
    whole = file.read_bytes()
    found = {name: whole[begins : begins + size] for name, _, begins, size in members(file)}
    assert found == names
    for name, header, begins, size in members(file):
        assert next(members(file, header)) == (name, header, begins, size), "a walk may begin at any member"


def test_an_index_opens_shards_when_they_are_needed(tmp_path: Path) -> None:
    image = ArrayImage(np.zeros((2, 2, 1), np.uint8))
    rows = [Sample(f"s{n}", (image,), Labels((str(n % 3),)), split=("train", "test")[n % 2]) for n in range(6)]
    path = webdataset.write(Dataset(rows), tmp_path / "out")
    data = webdataset.read(path)
    assert [shard.starts for shard in data.samples.shards] == [None, None]  # type: ignore[attr-defined]
    assert data[0].id == "s1"
    assert [shard.starts is None for shard in data.samples.shards] == [False, True]  # type: ignore[attr-defined]
    index = json.loads((path / "index.json").read_text())
    index["shardlist"][0]["nsamples"] = 2
    (path / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=r"test-000000\.tar: 3 samples; the index says 2"):
        webdataset.read(path)[0]
    index["shardlist"][0]["url"] = "../out/test-000000.tar"
    (path / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="leads outside"):
        webdataset.read(path)


def test_shards_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shards, "_EACH", 2)
    image = ArrayImage(np.zeros((2, 2, 1), np.uint8))
    path = webdataset.write(Dataset([Sample(f"{n}", (image,)) for n in range(5)]), tmp_path / "out")
    assert sorted(file.name for file in path.glob("*.tar")) == [f"data-00000{n}.tar" for n in range(3)]
    assert [one.id for one in webdataset.read(path)] == list("01234")


@pytest.mark.parametrize(
    ("label", "message"),
    [({"1.cls": b"7"}, "class 7 has no name"), ({"1.json": b"{"}, r"1\.json: not JSON"),
     ({"1.txt": b"\xff"}, "not UTF-8"),
     ({"1.json": b'{"truth": {"kind": "boxes"}}'}, "no kind"), ({"1.json": b'{"split": "x"}'}, "none of train")],
)  # fmt: skip
def test_what_is_wrong_is_named(label: dict[str, bytes], message: str, tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": PICTURE, **label})
    (tmp_path / "classes.txt").write_text("cat\n")
    with pytest.raises(InputError, match=message) as raised:
        list(webdataset.read(tmp_path))
    assert "a.tar:1" in raised.value.message


def test_a_shard_that_is_cut_is_refused(tmp_path: Path) -> None:
    file = shard(tmp_path / "a.tar", {"1.png": PICTURE, "1.cls": b"1"})
    whole = file.read_bytes()
    for length, message in ((520, "ends within a member"), (1024, "ends without"), (1100, "ends without")):
        file.write_bytes(whole[:length])
        with pytest.raises(InputError, match=message):
            webdataset.read(tmp_path)


def test_pictures_without_labels_are_no_natural_reading(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": PICTURE, "2.png": PICTURE})
    assert webdataset.sniff(tmp_path).strength == 1
    shard(tmp_path / "a.tar", {"notes.md": b""})
    assert webdataset.sniff(tmp_path).strength == 0


def test_unreadable_pictures_inside_are_heard_of(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": b"no picture", "1.cls": b"1"})
    (sample,) = remember(webdataset.read(tmp_path))
    assert sample.image.fault is not None  # type: ignore[attr-defined]
    assert sample.image.fault.code == "unknown_format"  # type: ignore[attr-defined]


def test_a_hundred_thousand_samples_open_in_seconds(tmp_path: Path) -> None:
    """One block a header and one a member, as small as they can be."""
    import time

    info = tarfile.TarInfo("000000.png")
    info.size = 1
    head = info.tobuf(tarfile.USTAR_FORMAT)
    with (tmp_path / "a.tar").open("wb") as file:
        for n in range(100_000):
            file.write(b"%06d" % n + head[6:] + b"x".ljust(512, b"\0"))
        file.write(bytes(1024))
    begun = time.process_time()
    data = webdataset.read(tmp_path)
    assert len(data) == 100_000
    assert time.process_time() - begun < 2
    assert data[99_999].id == "a/099999"
