"""Shards: samples of several members, found without unpacking, with and without an index."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Labels, Text
from sightline.core.data import open_data, recognise
from sightline.core.dataset import Dataset, carried
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample
from sightline.core.splitting import split
from sightline.formats import _shards, _tar, webdataset
from sightline.formats._tar import members
from tests.opens import opened

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
     ({"1.json": b'{"truth": {"kind": "boxes"}}'}, "no kind"), ({"1.json": b'{"split": "x"}'}, "none of train"),
     ({"1.json": b'{"attributes": 3}'}, "'attributes' must be an object"), ({"1.json": b'{"group": 3}'}, "a string")],
)  # fmt: skip
def test_what_is_wrong_is_named(label: dict[str, bytes], message: str, tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"0.png": PICTURE, "1.png": PICTURE, **label})
    (tmp_path / "classes.txt").write_text("cat\n")
    with pytest.raises(InputError, match=message) as raised:
        list(webdataset.read(tmp_path))
    assert "a.tar:1" in raised.value.message
    with pytest.raises(InputError, match=message):
        webdataset.read(tmp_path).column("names")


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


def test_columns_say_what_the_samples_say(tmp_path: Path) -> None:
    told = {"truth": {"kind": "labels", "names": ["x", "y"]}, "group": "p1", "split": "val", "id": "own"}
    objects = {"kind": "objects", "boxes": [[0, 0, 1, 1], [0, 0, 1, 1]], "classes": [1, 1], "names": ["a", "b"]}
    shard(tmp_path / "a.tar", {
        "1.png": PICTURE, "1.cls": b"1\n", "2.png": PICTURE, "2.json": json.dumps(told).encode(), "2.cls": b"9",
        "3.txt": b"a cat", "3.png": PICTURE, "4.png": PICTURE, "5.json": json.dumps({"truth": objects}).encode(),
        "5.png": PICTURE, "6.cls": b"0", "6.json": b"[1]", "6.png": PICTURE, "7.cls": b" 1",
        "deep.er/\u00fc.seg.png": PICTURE,
        "f" * 90 + ".cls": b"0", "8.cls": b"2", "8.json": b'{"id": "eight", "group": "p2", "split": "test", "x": 1}',
    })  # fmt: skip
    shard(tmp_path / "test-1.tar", {"1.cls": b"2", "1.png": PICTURE, "2.json": json.dumps(told).encode()})
    (tmp_path / "classes.txt").write_text("cat\ndog\nowl\n")
    data, again = webdataset.read(tmp_path), webdataset.read(tmp_path)
    for field in ("names", "id", "split", "group"):
        made = [carried(one.truth) if field == "names" else getattr(one, field) for one in again]
        assert list(data.column(field)) == made, field
    assert list(data.column("names"))[:5] == [("dog",), ("x", "y"), (), (), ("b", "b")]
    assert [one.id for one in again][-2:] == ["test-1/1", "own"]


def test_columns_open_every_shard_once(tmp_path: Path) -> None:
    image = ArrayImage(np.zeros((2, 2, 1), np.uint8))
    rows = [Sample(f"s{n}", (image,), Labels((str(n % 3),)), group=f"g{n % 7}", split="train") for n in range(60)]
    path = webdataset.write(Dataset(rows), tmp_path / "out")
    data = webdataset.read(path)
    with opened() as heard:
        assert len(data.where("names", lambda names: names == ("1",))) == 20
        assert len(data.where("group", lambda group: group == "g1")) == 9
        data.counts()
        split(data, copies=False)
        assert heard["train-000000.tar"] <= 3, "once for all labels, and for the first sample"
    with opened() as heard:
        assert data[59].truth.best == "2"  # type: ignore[union-attr]
        assert heard["train-000000.tar"] == 1


@pytest.mark.parametrize("size", [1, 700, 5000, 70_000, 3_000_000])
def test_members_of_any_size_are_walked(size: int, tmp_path: Path) -> None:
    names = {
        f"{n}.{ending}": bytes([n]) * (size if ending == "png" else 9 * n)
        for n in range(8)
        for ending in ("png", "txt")
    }
    file = shard(tmp_path / "a.tar", names)
    with _tar.opened(file) as tape:
        found = {name: tape.part(begins, count, 2**30) for name, _, begins, count in _tar.walk(tape)}
    assert found == names
    with pytest.raises(InputError, match="the limit is 8"), _tar.opened(file) as tape:
        tape.part(0, 9, 8)


def test_where_pictures_are_large_only_headers_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = [0], os.pread

    def counted(handle: int, size: int, place: int) -> bytes:
        read[0] += size
        return real(handle, size, place)

    monkeypatch.setattr(os, "pread", counted)
    large = shard(tmp_path / "a.tar", {f"{n}.png": bytes(200_000) for n in range(50)})
    assert len(list(members(large))) == 50
    assert read[0] < 50 * 10_000
    calls, small = read[0], shard(tmp_path / "b.tar", {f"{n}.png": b"x" for n in range(5000)})
    assert len(list(members(small))) == 5000
    assert read[0] - calls < 2 * small.stat().st_size


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
