"""The idx files of MNIST: written here as the format says, plain and packed."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data, recognise
from sightline.core.errors import InputError
from sightline.formats import idx

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 28, 28), np.uint8)


def file_of(array: np.ndarray, kind: int = 8) -> bytes:
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", ["-", "."])
def test_mnist(packed: bool, mark: str, tmp_path: Path) -> None:
    for stem in ("train", "t10k"):
        for word, array in (("images", PIXELS), ("labels", np.array([7, 0, 2], np.uint8))):
            name = f"{stem}-{word}{mark}idx{array.ndim}-ubyte" + (".gz" if packed else "")
            (tmp_path / name).write_bytes(gzip.compress(file_of(array)) if packed else file_of(array))
    assert recognise(tmp_path) == "idx"
    data = open_data(tmp_path)
    assert data.names == tuple("01234567")
    assert [one.split for one in data] == ["train"] * 3 + ["test"] * 3
    assert [one.truth.best for one in data][:3] == ["7", "0", "2"]  # type: ignore[union-attr]
    np.testing.assert_array_equal(data[4].pixels()[..., 0], PIXELS[1])
    (tmp_path / "classes.txt").write_text("\n".join("abcdefgh"))
    assert open_data(tmp_path)[0].truth.best == "h"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (file_of(PIXELS)[:-1], file_of(np.zeros(3, np.uint8)), "its header says"),
        (file_of(PIXELS), file_of(np.zeros(4, np.uint8)), "4 labels for 3 pictures"),
        (file_of(PIXELS), file_of(np.zeros((3, 2), np.uint8)), "one whole number a picture"),
        (file_of(PIXELS, 11), file_of(np.zeros(3, np.uint8)), "its header says"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**15, 2**15), file_of(np.zeros(3, np.uint8)), "limit is"),
        (b"\x01\x02\x03\x04" * 10, file_of(np.zeros(3, np.uint8)), "does not begin as an idx file"),
        (file_of(PIXELS), None, "labels of 'train' are not there"),
    ],
)
def test_what_does_not_fit_is_named(images: bytes, labels: bytes | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(images)
    if labels is not None:
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(labels)
    assert idx.sniff(tmp_path).why
    with pytest.raises(InputError, match=message):
        list(idx.read(tmp_path))


def test_a_packed_bomb_stops_at_what_its_header_says(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(file_of(PIXELS) + bytes(2**24)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(file_of(np.zeros(3, np.uint8)))[:-9])
    with pytest.raises(InputError, match=r"another number of bytes|ended before"):
        idx.read(tmp_path)
