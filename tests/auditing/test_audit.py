"""The audit: one line that is true, and every picture's bytes read once."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.auditing import audit as audit_module
from sightline.auditing.audit import audit
from sightline.core.annotations import Heatmap, Objects
from sightline.core.dataset import Dataset
from sightline.core.image import BytesImage, encode
from sightline.core.progress import Event
from sightline.core.sample import Sample
from tests.opens import opened


def scene(seed: int) -> np.ndarray:
    """Sharp rectangles in many colours: nothing about it is odd."""
    rng = np.random.default_rng(seed)
    pixels = np.full((40, 40, 3), rng.integers(90, 160, 3), np.float32)
    for _ in range(30):
        y, x = rng.integers(0, 34, 2)
        pixels[y : y + rng.integers(4, 24), x : x + rng.integers(4, 24)] = rng.integers(30, 220, 3)
    return np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)


def folder(path: Path, good: int = 12, bad: int = 12) -> Path:
    for n in range(good + bad):
        place = path / ("good" if n < good else "bad")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{n}.png").write_bytes(encode(scene(n)))
    return path


def test_clean_data(tmp_path: Path) -> None:
    found = audit(folder(tmp_path))
    assert found.line == "24 pictures, 2 names (bad 12, good 12), nothing unreadable, no exact duplicates"
    assert found.findings == ()
    assert found.worst is None
    assert found.seconds > 0


def test_every_fault_is_in_the_line_the_worst_first(tmp_path: Path) -> None:
    folder(tmp_path, 40, 2)
    (tmp_path / "good" / "broken.png").write_bytes(b"")
    for n, place in enumerate(("good", "good", "bad")):
        (tmp_path / place / f"copy {n}.png").write_bytes((tmp_path / "good" / "0.png").read_bytes())
    found = audit(tmp_path)
    assert found.line.startswith("46 pictures, 2 names (good 43, bad 3), ")
    for text in (
        "4 equal pictures with different labels",
        "fewer than 10 examples of bad 3",
        "1 unreadable (1 empty)",
        "3 exact duplicates",
        "'good' is 14 times as frequent as 'bad'",
    ):
        assert text in found.line
    assert [one.severity for one in found.findings] == ["warn"] * 3 + ["note"] * 2
    assert found.worst == "warn"
    plain = json.loads(json.dumps(found.to_json()))
    assert plain["count"] == 46
    assert plain["names"] == {"good": 43, "bad": 3}
    assert plain["line"] == found.line
    (unread,) = (one for one in plain["findings"] if one["check"] == "unreadable")
    assert unread["ids"] == unread["leave"] == ["good/broken.png"]
    assert unread["details"][0].endswith("the file holds no bytes.")


def test_data_without_labels_and_other_labels() -> None:
    def made(truth: Any) -> Dataset:
        pictures = [BytesImage(encode(scene(n))) for n in range(1 if truth is None else 2)]
        return Dataset([Sample(str(n), (picture,), truth) for n, picture in enumerate(pictures)])

    assert audit(made(None)).line == "1 picture, no labels, nothing unreadable, no exact duplicates"
    boxes = Objects(np.array([[1, 1, 5, 5]] * 10, np.float32), np.zeros(10, np.int64), ("a",))
    assert audit(made(boxes)).line.startswith("2 pictures, 20 objects of 1 name (a 20), nothing")
    assert "labelled with heatmap" in audit(made(Heatmap(np.zeros((40, 40))))).line


def test_many_names_are_shortened(tmp_path: Path) -> None:
    for n in range(9):
        (tmp_path / f"n{n}").mkdir()
        (tmp_path / f"n{n}" / "1.png").write_bytes(encode(np.full((4, 4, 1), n, np.uint8)))
    assert "9 names (n0 1, n1 1, n2 1, n3 1, n4 1, n5 1, and 3 more)" in audit(tmp_path).line


def test_bytes_are_read_once(tmp_path: Path) -> None:
    folder(tmp_path)
    told: list[Event] = []
    with opened() as reads:
        found = audit(tmp_path, tell=told.append)
    counts = [count for name, count in reads.items() if name.endswith(".png")]
    assert counts
    assert max(counts) == 1, "for its hash, its header, its thumbnail and what is measured"
    assert {event.kind for event in told} == {"progress", "audit"}
    assert told[-1].text == found.line
    assert told[-1].facts == found.to_json()


def test_the_fingerprint_is_the_data_s(tmp_path: Path) -> None:
    from sightline.core.data import open_data

    folder(tmp_path)
    before = audit(tmp_path)
    assert before.fingerprint == open_data(tmp_path).fingerprint == audit(tmp_path, format="folders").fingerprint
    (tmp_path / "good" / "0.png").write_bytes(encode(np.full((8, 8, 1), 99, np.uint8)))
    assert audit(tmp_path).fingerprint != before.fingerprint


def test_a_drawn_world_is_not_drawn_for_a_quick_look() -> None:
    found = audit("drawn:parts?count=500&size=256", quick=True)
    assert (found.count, found.looked) == (500, 0)
    assert found.seconds < 5


def test_a_quick_look_decodes_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "QUICK", 10)
    folder(tmp_path)
    (tmp_path / "good" / "0.png").write_bytes(encode(np.full((40, 40, 3), 99, np.uint8)))
    found = audit(tmp_path, quick=True)
    assert (found.looked, found.depth) == (8, "quick")
    assert [one.text for one in found.findings if one.check == "low_information"] in (
        [],
        ["1 picture of 8 looked at with next to nothing in them"],
    )
    monkeypatch.setattr(audit_module, "PIXELS", 3 * 1600)
    assert audit(tmp_path, quick=True).looked == 2
    assert audit(tmp_path).looked == 24


def test_labels_are_judged_unless_quick(tmp_path: Path) -> None:
    for n in range(60):
        name = ("dark", "light")[n % 2]
        (tmp_path / name).mkdir(exist_ok=True)
        shade = scene(n) // 2 if name == "dark" else 255 - scene(n) // 2
        (tmp_path / (name if n != 7 else "dark") / f"{n}.png").write_bytes(encode(shade))
    (finding,) = (one for one in audit(tmp_path).findings if one.check == "wrong_labels")
    assert finding.ids == ("dark/7.png",)
    assert finding.details == ("labelled dark, looks like light",)
    assert "wrong_labels" not in {one.check for one in audit(tmp_path, quick=True).findings}
