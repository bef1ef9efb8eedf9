"""The binary files of CIFAR: records as the authors describe them, written here byte by byte."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data, recognise
from sightline.core.errors import InputError
from sightline.formats import cifar

PIXELS = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), np.uint8)


def record(row: int, *labels: int) -> bytes:
    """Labels, then all red, all green, all blue."""
    return bytes(labels) + b"".join(PIXELS[row, :, :, channel].tobytes() for channel in range(3))


def test_ten_classes(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(record(0, 1) + record(1, 0))
    (tmp_path / "data_batch_2.bin").write_bytes(record(2, 1))
    (tmp_path / "test_batch.bin").write_bytes(record(3, 0))
    (tmp_path / "batches.meta.txt").write_text("airplane\nautomobile\n\n")
    assert recognise(tmp_path) == "cifar"
    data = open_data(tmp_path)
    assert [one.id for one in data] == ["data_batch_1/0", "data_batch_1/1", "data_batch_2/0", "test_batch/0"]
    assert [one.split for one in data] == ["train", "train", "train", "test"]
    assert [one.truth.best for one in data] == ["automobile", "airplane", "automobile", "airplane"]  # type: ignore[union-attr]
    for row, sample in enumerate(data):
        np.testing.assert_array_equal(sample.pixels(), PIXELS[row])


def test_a_hundred_classes_in_a_hierarchy(tmp_path: Path) -> None:
    (tmp_path / "train.bin").write_bytes(record(0, 1, 0) + record(1, 0, 1) + record(2, 1, 2))
    (tmp_path / "test.bin").write_bytes(record(3, 1, 2))
    (tmp_path / "fine_label_names.txt").write_text("apple\nbed\npear\n")
    (tmp_path / "coarse_label_names.txt").write_text("furniture\nfruit\n")
    data = open_data(tmp_path)
    assert data.details["parents"] == {"apple": "fruit", "bed": "furniture", "pear": "fruit"}
    assert [one.truth.best for one in data] == ["apple", "bed", "pear", "pear"]  # type: ignore[union-attr]
    (tmp_path / "test.bin").write_bytes(record(3, 0, 2))
    with pytest.raises(InputError, match="'pear' lies under two coarse names"):
        cifar.read(tmp_path)


def test_what_is_cut_or_unnamed(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(record(0, 3)[:-1])
    (tmp_path / "batches.meta.txt").write_text("a\nb\n")
    assert cifar.sniff(tmp_path).strength == 1
    with pytest.raises(InputError, match=r"data_batch_1\.bin: 3,072 bytes are no whole records of 3,073"):
        cifar.read(tmp_path)
    (tmp_path / "data_batch_1.bin").write_bytes(record(0, 3))
    with pytest.raises(InputError, match="class 3 has no name"):
        list(cifar.read(tmp_path))
    (tmp_path / "batches.meta.txt").write_text("a\na\n")
    with pytest.raises(InputError, match="for the second time"):
        cifar.read(tmp_path)
