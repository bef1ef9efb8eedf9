"""Data sets: lazy, countable, told apart by content, and parted without cheating."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Annotation, Labels, Objects, Value
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.known import remember
from sightline.core.sample import Sample
from sightline.core.splitting import split


def picture(value: int) -> ArrayImage:
    return ArrayImage(np.full((2, 2, 1), value, np.uint16))


def sample(number: int, name: str | None = "a", *, shade: int | None = None, **more: Any) -> Sample:
    truth = None if name is None else Labels((name,))
    return Sample(f"{number}", (picture(number if shade is None else shade),), truth, **more)


def sides(data: Dataset) -> dict[str | None, int]:
    return dict(Counter(one.split for one in data))


def test_positions_and_slices() -> None:
    data = Dataset([sample(n) for n in range(5)], name="five")
    assert len(data) == 5
    assert data[-1].id == "4"
    assert [one.id for one in data[1:4]] == ["1", "2", "3"]
    assert [one.id for one in data[1:4][::-1]] == ["3", "2", "1"]
    assert [one.id for one in data.take([4, 0])[:1]] == ["4"]
    assert data[2].pixels().max() == 2


def test_mapping_is_lazy() -> None:
    seen: list[str] = []

    def change(one: Sample) -> Sample:
        seen.append(one.id)
        return replace(one, truth=Labels(("b",)))

    data = Dataset([sample(n) for n in range(3)], recipe="r").map(change, "to b")
    assert seen == []
    assert data[1].truth.best == "b"  # type: ignore[union-attr]
    assert seen == ["1"]
    assert data.fingerprint == Dataset([sample(n) for n in range(3)], recipe="r").map(change, "to b").fingerprint
    assert data.map(change)._recipe is None


def test_what_is_known_of_the_whole() -> None:
    data = Dataset([sample(0, "b"), sample(1, "a"), sample(2, "b")])
    assert (data.kind, data.names, data.counts()) == (Labels, ("a", "b"), Counter(b=2, a=1))
    assert Dataset([sample(0, None)]).kind is None
    assert Dataset([]).kind is None
    assert Dataset([], kind=Labels, names=("x",)).names == ("x",)
    boxes = Objects(np.zeros((3, 4)), np.array([0, 1, 1]), ("a", "b"))
    assert Dataset([Sample("0", truth=boxes)]).counts() == Counter(a=1, b=2)
    assert Dataset([Sample("0", truth=Value(("x",), np.ones(1)))]).counts() == Counter()


BASE = [sample(n, "ab"[n % 2], group=f"g{n}", split="train") for n in range(4)]
BOX = Objects(np.array([[0, 0, 1, 1]], np.float32), np.array([0]), ("a",))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"images": (picture(9),)},
        {"images": ()},
        {"truth": Labels(("c",))},
        {"truth": Labels(("a",), np.ones(1))},
        {"truth": None},
        {"truth": BOX},
        {"group": None},
        {"split": "val"},
        {"given": {"word": 1}},
    ],
    ids=str,
)
def test_any_change_changes_the_fingerprint(change: dict[str, Any]) -> None:
    before = Dataset(BASE).fingerprint
    assert Dataset(BASE).fingerprint == before
    assert Dataset([replace(BASE[0], **change), *BASE[1:]]).fingerprint != before
    assert Dataset(BASE[1:]).fingerprint != before
    assert Dataset(BASE[::-1]).fingerprint != before


def test_the_fingerprint_of_a_recipe_reads_no_picture() -> None:
    class Unreadable(ArrayImage):
        def fingerprint(self) -> str:
            raise AssertionError

    one = Sample("0", (Unreadable(np.zeros((1, 1, 1))),))
    data = Dataset([one, one], recipe="drawn")
    assert data.fingerprint != Dataset([one], recipe="other").fingerprint
    assert data.take([0]).fingerprint != data.take([1]).fingerprint != data.fingerprint


def test_names_that_are_no_text_can_be_counted_and_parted() -> None:
    """File systems hold bytes; Python shows those that are no text as lone surrogates."""
    data = Dataset([replace(sample(n), id=f"\udcff{n}") for n in range(8)])
    assert data.fingerprint
    assert set(sides(split(data))) == {"train", "val", "test"}


def test_kinds_are_records() -> None:
    assert issubclass(Labels, Annotation)


def test_details_of_the_whole_stay_with_every_view() -> None:
    told = {"licenses": [{"id": 1}], "parents": {"cat": "animal"}}
    data = Dataset([sample(n, split="train") for n in range(8)], details=told)
    for view in (data.take([1]), data[2:], data.map(lambda one: one), data.side("train"), split(data), remember(data)):
        assert view.details == told
    assert Dataset([]).details == {}
    plain, other = Dataset(data.samples), Dataset(data.samples, details={"licenses": []})
    assert plain.fingerprint == other.fingerprint != data.fingerprint, "only parents change what a label means"
