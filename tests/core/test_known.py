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
from sightline.core.image import ArrayImage, BytesImage, FileImage, as_image, encode
from sightline.core.known import KnownImage, look_at_all, near, remember, seals
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.core.splitting import split
from tests.opens import opened

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


def test_bytes_are_read_once(tmp_path: Path) -> None:
    data = remember(files(tmp_path))
    told: list[Event] = []
    with opened() as reads:
        look_at_all(data, told.append)
        for one in data:
            image = one.image
            assert isinstance(image, KnownImage)
            assert image.shape == (4, 5 + int(one.id))
            assert image.fault is None
        assert data.fingerprint
        assert len(split(data, copies=False)) == 6
    assert [count for name, count in reads.items() if name.endswith(".png")] == [1] * 6
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


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = np.full((40, 40, 3), 90, np.uint8)
    for _ in range(14):
        y, x = rng.integers(0, 34, 2)
        pixels[y : y + rng.integers(4, 20), x : x + rng.integers(4, 20)] = rng.integers(0, 255, 3)
    return pixels


def test_one_read_serves_hash_header_and_likeness(tmp_path: Path) -> None:
    samples = []
    for n in range(12):
        pixels = np.ascontiguousarray(scene(n % 10)[:, :: 1 - 2 * (n // 10)])  # the last two are mirrored
        (tmp_path / f"{n}.png").write_bytes(encode(pixels))
        samples.append(Sample(str(n), (FileImage(tmp_path / f"{n}.png"),)))
    data = remember(Dataset(samples))
    with opened() as reads:
        look_at_all(data, closely=True)
        assert len(set(seals(data).tolist())) == 12
        assert [count for name, count in reads.items() if name.endswith(".png")] == [1] * 12
    assert near(data).pairs.tolist() == [[0, 10], [1, 11]]
    assert split(data)[0].split == split(data)[10].split


def test_what_was_read_before_does_not_change_what_is_compared(tmp_path: Path) -> None:
    """A reduced picture and the whole one differ a little, and sides must not depend on who asked first."""
    for n in range(12):
        quality = 95 if n < 6 else 40
        Pillow.fromarray(np.kron(scene(n % 6), np.ones((8, 8, 1), np.uint8))).save(
            tmp_path / f"{n}.jpg", quality=quality
        )
    samples = [Sample(str(n), (FileImage(tmp_path / f"{n}.jpg"),)) for n in range(12)]
    fresh, used = remember(Dataset(samples)), remember(Dataset(samples))
    for sample in used:
        sample.pixels()
    for data in (fresh, used):
        look_at_all(data)
    grey = [data.samples.facts[0].thumbnails["grey"] for data in (fresh, used)]  # type: ignore[attr-defined]
    assert near(fresh).pairs.tolist() == near(used).pairs.tolist() != []
    assert fresh.samples.facts[0].thumbnails.nbytes == 0, "kept until they have served"  # type: ignore[attr-defined]
    assert fresh[0].image.looked(closely=True)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(grey[0], grey[1])
    assert grey[0].any()


def test_what_cannot_be_decoded_is_like_nothing(tmp_path: Path) -> None:
    whole = encode(scene(0))
    broken = whole[:100] + b"xxxx" + whole[104:]
    data = Dataset(
        [Sample(str(n), (BytesImage(one),)) for n, one in enumerate((broken, broken + b" ", whole, b"", b"text"))]
    )
    assert near(data).pairs.tolist() == []
    assert seals(data).tolist().count(-1) == 1, "nothing is not equal to nothing"


def test_what_a_recipe_draws_is_not_drawn_to_be_compared() -> None:
    class Drawn:
        name = "drawn"

        def fingerprint(self) -> str:
            return "one of a kind"

        def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
            raise AssertionError

        encoded = read

    data = Dataset([Sample(str(n), (Drawn(),)) for n in range(5)], recipe="drawn")  # type: ignore[arg-type]
    assert (near(data).compared, near(data).drawn) == (0, "")
    assert len(set(seals(data).tolist())) == 1
    assert {one.split for one in split(data)} == {"train"}


def test_of_very_many_some_are_drawn_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "COMPARED", 100)
    pictures = [ArrayImage(scene(n // 2)) for n in range(400)]
    found = near(Dataset([Sample(str(n), (one,)) for n, one in enumerate(pictures)]))
    assert (found.compared, found.total) == (100, 400)
    assert found.drawn == " (sought among 100 of 400 pictures)"
    assert len(found.pairs) == 50, "neighbours are drawn together"


PIXEL = b"P5 1 1 255 0"  # of a pixel; what follows changes the bytes alone


def test_memory_is_some_bytes_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "HELD", 100_000)
    monkeypatch.setattr(known, "COMPARED", 1000)
    import tracemalloc

    class Many(list[Sample]):
        def __len__(self) -> int:
            return 20_000

        def __getitem__(self, index: Any) -> Any:
            return Sample(f"{index}", (BytesImage(PIXEL + b"%d" % index),))

    data = remember(Dataset(Many()))
    tracemalloc.start()
    look_at_all(data, closely=False)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 200_000, "the columns were there, and the samples that may be held"
    assert most < 3_000_000
    assert data[5].image.fingerprint() == BytesImage(PIXEL + b"5").fingerprint()
