"""The cleaned view: it says what it does without, refers to originals that it never touches, and is the same twice."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.auditing.audit import audit
from sightline.auditing.cleaning import Cleaned, write_cleaned
from sightline.core.annotations import Labels, Objects
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import StorageError
from sightline.core.files import digest_file, write_durably
from sightline.core.image import ArrayImage, FileImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample
from tests.auditing.test_audit import folder, scene


def faulty(path: Path) -> Path:
    folder(path)
    (path / "good" / "broken.png").write_bytes(encode(scene(3))[:300])
    (path / "good" / "copy.png").write_bytes((path / "good" / "0.png").read_bytes())
    (path / "bad" / "contradiction.png").write_bytes((path / "good" / "5.png").read_bytes())
    return path


def cleaned(path: Path, out: Path) -> Cleaned:
    data = remember(open_data(path))
    return write_cleaned(data, audit(data, quick=True).findings, out)


def sealed(path: Path) -> dict[str, str]:
    return {str(file): digest_file(file) for file in sorted(path.rglob("*.png"))}


def test_a_manifest_refers_to_what_is_kept(tmp_path: Path) -> None:
    faulty(tmp_path / "photos")
    before = sealed(tmp_path)
    made = cleaned(tmp_path / "photos", tmp_path / "photos" / "cleaned.jsonl")
    assert made.left_out == {
        "good/broken.png": "unreadable",
        "good/copy.png": "equal to good/0.png",
        "good/5.png": "equal pictures with different labels: bad/contradiction.png, good/5.png",
        "bad/contradiction.png": "equal pictures with different labels: bad/contradiction.png, good/5.png",
    }
    view = open_data(made.path)
    assert len(view) == made.kept == 23
    assert view.names == ("bad", "good")
    assert (view[0].pixels() == scene(12)).all()
    assert audit(view, quick=True).findings == ()
    assert sealed(tmp_path) == before
    assert json.loads(made.changes.read_bytes())["left_out"] == made.left_out
    assert made.line.startswith(f"cleaned: {made.path} holds 23 samples; 4 left out and 0 changed")
    assert len(open_data(tmp_path / "photos")) == 27, "the folder still reads as it did"


def test_twice_is_once(tmp_path: Path) -> None:
    faulty(tmp_path / "photos")
    for out in (tmp_path / "cleaned.jsonl", tmp_path / "out"):
        first = cleaned(tmp_path / "photos", out)
        seals = {file: digest_file(file) for file in tmp_path.rglob("*") if file.is_file()}
        assert cleaned(tmp_path / "photos", out) == first
        assert {file: digest_file(file) for file in tmp_path.rglob("*") if file.is_file()} == seals
        assert len(open_data(out)) == 23
    (tmp_path / "photos" / "good" / "1.png").unlink()
    with pytest.raises(StorageError, match="earlier state"):
        cleaned(tmp_path / "photos", tmp_path / "out")


def test_nothing_else_is_overwritten(tmp_path: Path) -> None:
    faulty(tmp_path / "photos")
    (tmp_path / "mine.jsonl").write_text("mine")
    for place in (tmp_path / "mine.jsonl", tmp_path / "photos"):
        with pytest.raises(StorageError, match="is no cleaned view"):
            cleaned(tmp_path / "photos", place)
    assert (tmp_path / "mine.jsonl").read_text() == "mine"
    (tmp_path / "other").mkdir()
    with pytest.raises(StorageError, match="would point out of its folder"):
        cleaned(tmp_path / "photos", tmp_path / "other" / "cleaned.jsonl")
    memory = Dataset([Sample("1", (ArrayImage(scene(1)),), Labels(("a",)))])
    with pytest.raises(StorageError, match="no file that"):
        write_cleaned(memory, (), tmp_path / "memory.jsonl")


def test_boxes_are_mended(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(encode(scene(1)))
    boxes = np.array([[30, 5, 60, 20], [5, 5, 5, 9], [1, 1, 20, 20], [1, 1, 20, 20.2], [1, 1, 20, 20]], np.float32)
    truth = Objects(boxes, np.array([0, 0, 0, 0, 1]), ("a", "b"), texts=("1", "2", "3", "4", "5"))
    sample = Sample("1", (FileImage(tmp_path / "1.png"),), truth, group="g", attributes={"camera": "x"})
    made = write_cleaned(Dataset([sample]), (), tmp_path / "cleaned.jsonl")
    assert made.changed == {"1": "boxes: 1 cut to the picture, 1 without an inside removed, 1 marked twice removed"}
    (kept,) = open_data(made.path)
    assert isinstance(kept.truth, Objects)
    assert kept.truth.boxes.tolist() == [[30, 5, 40, 20], [1, 1, 20, 20], [1, 1, 20, 20]]
    assert kept.truth.texts == ("1", "3", "5")
    assert (kept.group, kept.attributes) == ("g", {"camera": "x"})
    fine = replace(sample, truth=truth.take([2, 4]))
    assert write_cleaned(Dataset([fine]), (), tmp_path / "fine.jsonl").changed == {}


def test_pairs_whose_clean_picture_is_cut_short_are_left_out(tmp_path: Path) -> None:
    for n in range(12):
        for home, pixels in (("input", scene(n)), ("target", scene(n + 50))):
            write_durably(tmp_path / "pairs" / home / f"{n}.png", encode(pixels))
    cut = (tmp_path / "pairs" / "target" / "4.png").read_bytes()
    (tmp_path / "pairs" / "target" / "4.png").write_bytes(cut[: len(cut) // 2])
    made = cleaned(tmp_path / "pairs", tmp_path / "view")
    assert made.left_out == {"input/4.png": "unreadable truths"}
    assert len(open_data(tmp_path / "view")) == made.kept == 11
