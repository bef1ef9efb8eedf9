"""Bytes are read once, whatever is asked of them afterwards."""

import collections
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from sightline.core import known
from sightline.core.annotations import Labels, Picture, Regions
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage, FileImage, as_image, encode
from sightline.core.known import KnownImage, look_at_all, remember
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.core.splitting import split

RNG = np.random.default_rng(0)


def files(folder: Path, count: int = 6) -> Dataset:
    samples = []
    for n in range(count):
        (folder / f"{n}.png").write_bytes(encode(RNG.integers(0, 256, (4, 5 + n, 3)).astype(np.uint8)))
        samples.append(Sample(str(n), (FileImage(folder / f"{n}.png"),), Labels(("a",)), group="g"))
    return Dataset(samples, name="files", names=("a", "b"), kind=Labels)


def test_the_same_data_set(tmp_path: Path) -> None:
    data = files(tmp_path)
    same = remember(data)
    assert (same.name, same.names, same.kind, len(same)) == (data.name, data.names, data.kind, len(data))
    assert same.fingerprint == data.fingerprint
    assert same[1].group == "g"
    assert [one.id for one in same[1:3]] == [one.id for one in same.samples[1:3]] == ["1", "2"]
    np.testing.assert_array_equal(same[-1].pixels(), data[-1].pixels())
    assert same[0].image.encoded() == data[0].image.encoded()
    assert remember(same) is same


def test_bytes_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: collections.Counter[str] = collections.Counter()
    real = Path.open

    def counting(path: Path, *words: Any, **named: Any) -> Any:
        reads[path.name] += 1
        return real(path, *words, **named)

    data = remember(files(tmp_path))
    monkeypatch.setattr(Path, "open", counting)
    told: list[Event] = []
    look_at_all(data, told.append)
    for one in data:
        image = one.image
        assert isinstance(image, KnownImage)
        assert image.shape == (4, 5 + int(one.id))
        assert image.fault is None
    assert data.fingerprint
    assert len(split(data)) == 6
    assert set(reads.values()) == {1}
    assert told[-1].facts == {"done": 6, "total": 6}


def test_faults_are_known_without_decoding_what_is_whole(tmp_path: Path) -> None:
    smooth = Pillow.fromarray(RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8))
    smooth.save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "padded.jpg").write_bytes(whole + bytes(20))
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    found = {
        name: KnownImage(FileImage(tmp_path / name)) for name in ("whole.jpg", "cut.jpg", "padded.jpg", "text.jpg", "x")
    }
    codes = {name: None if image.fault is None else image.fault.code for name, image in found.items()}
    assert codes == {
        "whole.jpg": None, "cut.jpg": "truncated", "padded.jpg": None, "text.jpg": "unknown_format", "x": "missing",
    }  # fmt: skip
    assert found["x"].fingerprint() == "unreadable"
    assert found["cut.jpg"].shape == (64, 64)


def test_pictures_without_bytes() -> None:
    class Drawn(ArrayImage):
        def encoded(self) -> bytes:
            raise AssertionError("nobody should encode what is drawn")

    pixels = np.zeros((3, 4, 1), np.uint8)
    held, drawn = KnownImage(ArrayImage(pixels)), KnownImage(as_image(Drawn(pixels)))
    assert held.shape == (3, 4)
    assert held.fingerprint() == drawn.fingerprint() == ArrayImage(pixels).fingerprint()
    assert drawn.name == "array"


def test_labels_are_held_while_they_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "HELD", 30_000)
    made: collections.Counter[int] = collections.Counter()

    class Costly(list[Sample]):
        def __getitem__(self, index: Any) -> Any:
            made[index] += 1
            return super().__getitem__(index)

    small = Sample("small", truth=Regions(np.zeros((10, 10), np.uint8), ("a",)))
    large = Sample("large", truth=Picture(np.zeros((100, 100, 3), np.uint8)))
    data = remember(Dataset(Costly([small, large, Sample("none")])))
    for _ in range(3):
        assert [one.id for one in data] == ["small", "large", "none"]
    assert made == {0: 1, 1: 3, 2: 1}
