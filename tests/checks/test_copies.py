"""Copies in data: which is kept, who is like whom, and what stands on two sides."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sightline.checks.copies import conflicts, duplicates, leaks, near_duplicates
from sightline.core import known
from sightline.core.annotations import Labels, Objects
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = np.full((40, 40, 3), 90, np.uint8)
    for _ in range(14):
        y, x = rng.integers(0, 34, 2)
        pixels[y : y + rng.integers(4, 20), x : x + rng.integers(4, 20)] = rng.integers(0, 255, 3)
    return pixels


def sample(name: str, seed: int, *, mirror: bool = False, label: str = "a", **more: Any) -> Sample:
    pixels = scene(seed)[:, ::-1] if mirror else scene(seed)
    return Sample(name, (ArrayImage(np.ascontiguousarray(pixels)),), Labels((label,)), **more)


ALONE = [sample(f"alone {n}", 100 + n) for n in range(20)]


def test_a_copy_goes_from_where_it_is_learnt_not_from_the_test() -> None:
    data = [
        sample("first", 1, split="train"),
        sample("held", 1, split="test"),
        sample("free", 2),
        sample("free too", 2),
        *ALONE,
    ]
    (found,) = duplicates(Dataset(data))
    assert set(found.leave) == {"first", "free too"}
    assert dict(zip(found.ids, found.details, strict=True)) == {"first": "like held", "free too": "like free"}
    assert (found.count, found.severity) == (2, "note")


def test_near_duplicates_are_not_the_equal_ones() -> None:
    data = [sample("one", 1), sample("same", 1), sample("mirror", 1, mirror=True), *ALONE]
    (found,) = near_duplicates(Dataset(data))
    assert found.text == "1 near duplicate"
    assert found.ids == ("mirror",)
    assert found.details in (("like one",), ("like same",))
    assert found.leave == ()
    many = [sample(f"{n} {mirror}", n, mirror=mirror) for n in range(9) for mirror in (False, True)]
    assert near_duplicates(Dataset(many))[0].severity == "warn"


def test_pairs_of_pictures_are_near_only_where_both_are() -> None:
    """Before and after: two that begin alike are no copies."""
    data = [
        replace(sample(f"{n}", n // 2, mirror=n % 2 == 1), images=(sample("", n // 2).image, sample("", 50 + n).image))
        for n in range(8)
    ]
    assert near_duplicates(Dataset(data)) == duplicates(Dataset(data)) == []


def test_near_duplicates_with_other_names_contradict_each_other() -> None:
    data = [
        sample("one", 1),
        sample("mirror", 1, mirror=True, label="b"),
        sample("x", 2),
        sample("y", 2, label="b"),
        *ALONE,
    ]
    (found,) = conflicts(Dataset(data))
    assert found.text == "2 equal pictures and 2 near duplicates with different labels"
    assert set(found.ids) == {"one", "mirror", "x", "y"}
    boxes = [Objects(np.array([[0, 0, 9, 9 + n]], np.float32), np.array([0]), ("a",)) for n in range(2)]
    cut = [replace(sample(f"{n}", 1, mirror=n == 1), truth=boxes[n]) for n in range(2)]
    assert conflicts(Dataset(cut)) == [], "outlines move with the pixels"


def test_each_kind_of_leak_is_told_apart() -> None:
    data = [
        sample("a", 1, split="train"), sample("b", 1, split="test"),
        sample("c", 2, split="train"), sample("d", 2, mirror=True, split="val"),
        sample("e", 3, split="train", group="g"), sample("f", 4, split="test", group="g"),
        sample("g", 5, split="train", group="h"), sample("h", 5, mirror=True, split="train", group="h"),
        *(replace(one, split="train") for one in ALONE),
    ]  # fmt: skip
    found = {one.text: set(one.ids) for one in leaks(Dataset(data))}
    assert found == {
        "1 equal pictures on two sides of the split": {"a", "b"},
        "1 near duplicates on two sides of the split": {"c", "d"},
        "1 groups on two sides": {"e", "f"},
    }
    assert leaks(Dataset([replace(one, split=None) for one in data])) == []


def test_it_is_said_where_not_all_were_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "COMPARED", 50)
    data = [sample(f"{n}", n // 2, mirror=n % 2 == 1) for n in range(100)]
    (found,) = near_duplicates(Dataset(data))
    assert found.text == "25 near duplicates (sought among 50 of 100 pictures)"
