"""Arrays in an .npz: which they are, what their numbers mean, and that no code and no bomb is opened."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Labels, Value
from sightline.core.data import open_data, recognise
from sightline.core.errors import InputError
from sightline.formats import npz

GRAY = np.random.default_rng(0).integers(0, 255, (4, 5, 6), np.uint8)


def stored(file: Path, *, packed: bool = False, **arrays: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    (np.savez_compressed if packed else np.savez)(file, **arrays)
    return file


@pytest.mark.parametrize("packed", [False, True])
def test_the_layout_of_medmnist(packed: bool, tmp_path: Path) -> None:
    labels = np.array([[0], [1], [1], [0]], np.uint8)
    sides = ("train", "val", "test")
    arrays = {f"{side}_{what}": array for side in sides for what, array in (("images", GRAY), ("labels", labels))}
    file = stored(tmp_path / "pneumoniamnist_64.npz", packed=packed, **arrays)
    assert recognise(file) == recognise(tmp_path) == "npz"
    data = open_data(file)
    assert data.names == ("normal", "pneumonia")
    assert [one.split for one in data] == [side for side in sides for _ in range(4)]
    assert data[5].id == "val/1"
    assert data[5].truth.names == ("pneumonia",)  # type: ignore[union-attr]
    np.testing.assert_array_equal(data[5].pixels()[..., 0], GRAY[1])
    assert (type(data.samples.parts[0].rows.base).__name__ == "memmap") is not packed  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arrays", "names", "truths"),
    [
        ({"images": GRAY, "labels": np.eye(4, 3, dtype=np.uint8)}, ("0", "1", "2"), [("0",), ("1",), ("2",), ()]),
        ({"images": GRAY, "labels": np.arange(4), "names": np.array(list("abcd"))}, tuple("abcd"), list("abcd")),
        ({"x_train": GRAY, "y_train": np.array([2, 0, 1, 0])}, ("0", "1", "2"), ["2", "0", "1", "0"]),
        (
            {"images": GRAY[..., None].repeat(3, -1), "labels": np.array([True, False, True, True])},
            ("0", "1"),
            list("1011"),
        ),
    ],
)
def test_what_numbers_mean(arrays: dict[str, Any], names: tuple[str, ...], truths: list[Any], tmp_path: Path) -> None:
    data = open_data(stored(tmp_path / "data.npz", **arrays))
    assert data.names == names
    assert data.kind is Labels
    assert [one.truth.names for one in data] == [tuple(truth) for truth in truths]  # type: ignore[union-attr]


def test_numbers_that_are_measured(tmp_path: Path) -> None:
    data = open_data(stored(tmp_path / "data.npz", images=GRAY, labels=np.array([0.5, 1, 2, np.nan])))
    assert data.kind is Value
    assert data[0].truth.numbers.tolist() == [0.5]  # type: ignore[union-attr]


def test_objects_of_python_are_never_opened(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    np.savez(file, images=np.array([{"a": 1}], object), labels=np.zeros(1), allow_pickle=True)
    with pytest.raises(InputError, match="Python objects"):
        npz.read(file)


@pytest.mark.parametrize("claim", [10**12, 7])
def test_a_header_that_lies_is_refused(claim: int, tmp_path: Path) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({claim}, 2, 2), }}".encode().ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "data.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(12))
    with pytest.raises(InputError, match=r"limit is|its header says"):
        npz.read(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": GRAY, "labels": np.zeros(3, int)}, "3 labels for 4 pictures"),
        ({"images": GRAY[0], "labels": np.zeros(5, int)}, "holds no pictures"),
        ({"images": GRAY, "labels": np.full(4, 9), "names": np.array(["a"])}, "class 9 has no name"),
        ({"images": GRAY, "labels": np.array(list("abcd"))}, "holds no labels"),
        ({"images": GRAY, "labels": np.zeros(4, int), "names": np.zeros(2)}, "must be a list of words"),
        ({"images": GRAY.astype(np.int64), "labels": np.zeros(4, int)}, "uint8, uint16 or float32"),
    ],
)
def test_what_does_not_fit_is_named(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = stored(tmp_path / "data.npz", **arrays)
    with pytest.raises(InputError, match=message):
        [(sample.truth, sample.pixels()) for sample in npz.read(file)]


def test_several_files_ask_which(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        stored(tmp_path / name, images=GRAY, labels=np.zeros(4, int))
    assert npz.sniff(tmp_path).strength == 1
    assert "name one" in npz.sniff(tmp_path).why
