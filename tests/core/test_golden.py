"""What was packed comes back to the bit, and what was not packed here is refused."""

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import archive, golden
from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions, Text, Value, Vector
from sightline.core.errors import BundleError, InputError
from sightline.core.image import ArrayImage, BytesImage, FileImage, encode
from sightline.core.sample import Sample

RNG = np.random.default_rng(2)
PIXELS = RNG.integers(0, 255, (5, 7, 3), np.uint8)
ANSWERS: list[Annotation] = [
    Labels(("ä", "b"), np.array([0.2, 0.8], np.float32)),
    Labels(()),
    Value(("weight",), np.array([3.5]), np.array([3.0]), np.array([4.0])),
    Objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), ("cat",), np.zeros(0, np.float32)),
    Objects(
        np.array([[0, 0, 4, 4.0], [1, 1, 2, 3]], np.float32),
        np.array([0, 1]),
        ("cat", "dog"),
        np.array([0.9, 0.4], np.float32),
        masks=RNG.random((2, 5, 7)) > 0.5,
        keypoints=RNG.random((2, 3, 3)).astype(np.float32),
        tracks=np.array([4, 5]),
        texts=("", "two"),
        mirror=(1, 0, 2),
    ),
    Regions(RNG.integers(0, 2, (5, 7)).astype(np.uint8), ("sky", "land")),
    Heatmap(np.asfortranarray(RNG.random((5, 7)).astype(np.float32)), 0.75),
    Picture(RNG.integers(0, 65535, (5, 7, 1)).astype(">u2").astype(np.uint16)),
    Text("a cat\nand a dog", 0.5),
    Vector(RNG.random(16).astype(np.float32)),
]


def samples(tmp_path: Path) -> list[Sample]:
    (tmp_path / "a.png").write_bytes(encode(PIXELS))
    pictures: list[Any] = [ArrayImage(PIXELS), FileImage(tmp_path / "a.png"), BytesImage(encode(PIXELS), "b")]
    found = [Sample(f"s{i}", (pictures[i % 3],) * (i % 3), given={"clicks": [[1, 2]], "ask": "wo?"}) for i in range(10)]
    assert len(found) == len(ANSWERS)
    return found


def test_samples_and_answers_come_back(tmp_path: Path) -> None:
    given = samples(tmp_path)
    found, answers, seed = golden.unpack(golden.pack(given, ANSWERS, 2**62))
    assert seed == 2**62
    for one, other in zip(given, found, strict=True):
        assert (one.id, one.given) == (other.id, other.given)
        assert [image.encoded() for image in one.images] == [image.encoded() for image in other.images]
        assert all(np.array_equal(image.read(), PIXELS) for image in other.images)
    for answer, back in zip(ANSWERS, answers, strict=True):
        assert type(answer) is type(back)
        assert answer.gap(back) == 0
    detail = answers[4]
    assert isinstance(detail, Objects)
    assert (detail.texts, detail.mirror, detail.names) == (("", "two"), (1, 0, 2), ("cat", "dog"))


def test_truth_and_whereabouts_stay_behind(tmp_path: Path) -> None:
    """A model that is handed on must not hand on the patient it was checked with."""
    sample = Sample(
        "s", samples(tmp_path)[1].images, Labels(("secret",)), group="patient 7", attributes={"site": "Bern"}
    )
    data = golden.pack([sample], [Labels(("a",))], 0)
    for word in ("secret", "patient", "Bern", str(tmp_path)):
        assert word.encode() not in data
        assert word.encode("utf-32-le") not in data


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    assert golden.pack(samples(tmp_path), ANSWERS, 1) == golden.pack(samples(tmp_path), ANSWERS, 1)
    assert golden.pack(samples(tmp_path), ANSWERS, 1) != golden.pack(samples(tmp_path), ANSWERS, 2)


def test_numpy_reads_it_too(tmp_path: Path) -> None:
    with np.load(io.BytesIO(golden.pack(samples(tmp_path), ANSWERS, 1)), allow_pickle=False) as opened:
        assert opened["s4.answer.boxes"].shape == (2, 4)


def test_arrays_of_every_kind_come_back() -> None:
    kinds = ["?", "u1", "i2", "<i4", ">i8", "f2", "f4", "f8", "U3"]
    arrays = {f"a{i}": np.arange(6).astype(kind).reshape(2, 3) for i, kind in enumerate(kinds)}
    arrays |= {"scalar": np.array(3.5), "empty": np.zeros((0, 4)), "text": np.array("word"), "cut": np.arange(9)[::2]}
    found = golden.unpack_arrays(golden.pack_arrays(arrays), "reference.npz")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert np.array_equal(found[name], array)
        assert found[name].shape == array.shape
        assert not found[name].flags.writeable


def test_what_would_need_code_is_not_packed() -> None:
    with pytest.raises(TypeError, match="only numbers"):
        golden.pack_arrays({"a": np.array([object()])})
    with pytest.raises(InputError, match="plain JSON"):
        golden.pack([Sample("s", given={"mask": np.zeros(3)})], [Labels(("a",))], 0)
    with pytest.raises(ValueError, match="argument"):
        golden.pack([Sample("s")], [], 0)


def npy(header: bytes, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    padded = header + b" " * (117 - len(header)) + b"\n"
    return archive.pack({"a.npy": b"\x93NUMPY" + version + len(padded).to_bytes(2, "little") + padded + data})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\5\6" + bytes(18),
        archive.pack({"a.txt": b""}),
        archive.pack({"a.npy": b""}),
        npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n(S'x'\ntR."),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", bytes(4)),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9999999999999999999), }"),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", bytes(4)),
        npy(b"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }", bytes(3)),
        npy(b"{'descr': '<U0', 'fortran_order': False, 'shape': (5,), }"),
        npy(b"{'descr': '<U999999999', 'fortran_order': False, 'shape': (), }", bytes(8)),
        npy(b"{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", bytes(4)),
        npy(b"{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (), }"),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(5)),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(4), b"\2\0"),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1, " * 70 + b"), }", bytes(4)),
    ],
)
def test_hostile_arrays_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError):
        golden.unpack_arrays(data, "golden.npz")


def told(changes: Any, **arrays: Any) -> bytes:
    text = changes if isinstance(changes, bytes) else json.dumps(changes).encode()
    kept = {"golden": np.frombuffer(text, np.uint8), **{name.replace("_", "."): one for name, one in arrays.items()}}
    return golden.pack_arrays(kept)


ONE = {"id": "s", "given": {}, "images": 0}


@pytest.mark.parametrize(
    "data",
    [
        golden.pack_arrays({"a": np.zeros(3)}),
        told(b"{"),
        told(b"[" * 10**5),
        told([1]),
        told({"seed": 1}),
        told({"samples": [ONE], "seed": 1}),
        told({"samples": [ONE], "seed": "x"}, s0_answer_kind=np.array("text"), s0_answer_text=np.array("x")),
        told({"samples": [{**ONE, "images": 10**9}], "seed": 1}, s0_answer_kind=np.array("text")),
        told({"samples": [{**ONE, "given": 3}], "seed": 1}, s0_answer_kind=np.array("text")),
        told({"samples": [ONE], "seed": 1}, s0_answer_kind=np.array("rumour")),
        told({"samples": [ONE], "seed": 1}, s0_answer_kind=np.array("objects"), s0_answer_boxes=np.zeros(3)),
        told({"samples": [ONE], "seed": 1}, s0_answer_kind=np.array("labels")),
        told({"samples": [ONE], "seed": 1}, s0_answer_kind=np.array("text"), s0_answer_text=np.zeros(3)),
        told({"samples": [ONE], "seed": 1}, s0_answer_kind=np.array("labels"), s0_answer_names=np.array(3)),
        told({"samples": [ONE], "seed": float("inf")}, s0_answer_kind=np.array("labels"), s0_answer_names=np.zeros(1)),
    ],
)
def test_hostile_stories_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="golden"):
        golden.unpack(data)


def test_no_changed_byte_gets_through(tmp_path: Path) -> None:
    """0 of 400 flips missed: with 95 % confidence fewer than 0.8 % get through."""
    whole = golden.pack(samples(tmp_path), ANSWERS, 1)
    chance = random.Random(5)
    for _ in range(400):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        with pytest.raises(BundleError):
            golden.unpack(bytes(flipped))
