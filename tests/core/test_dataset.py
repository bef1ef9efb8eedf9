"""Data sets: lazy, countable, told apart by content, and parted without cheating."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.annotations import Annotation, Labels, Objects, Value
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage, FileImage
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


def test_a_split_is_balanced_and_repeats() -> None:
    data = Dataset([sample(n, "abcd"[n % 4]) for n in range(400)])
    parted = split(data, seed=1)
    for name in "abcd":
        found = Counter(one.split for one in parted if one.truth.best == name)  # type: ignore[union-attr]
        assert found == {"train": 70, "val": 15, "test": 15}
    assert [one.split for one in split(data, seed=1)] == [one.split for one in parted]
    assert [one.split for one in split(data, seed=2)] != [one.split for one in parted]
    assert len(parted.side("val")) == 60
    assert parted.fingerprint != data.fingerprint
    assert (parted.kind, parted.names) == (Labels, tuple("abcd"))


def test_order_of_the_files_does_not_matter() -> None:
    data = [sample(n, "ab"[n % 2]) for n in range(60)]
    first = {one.id: one.split for one in split(Dataset(data))}
    assert {one.id: one.split for one in split(Dataset(data[::-1]))} == first


@pytest.mark.parametrize("each", [2, 3, 5])
def test_many_small_classes_still_fill_every_side(each: int) -> None:
    parted = split(Dataset([sample(n, f"name {n // each}") for n in range(90)]))
    found = sides(parted)
    assert abs(found["val"] - 13.5) <= 2
    assert abs(found["test"] - 13.5) <= 2
    learnt = {one.truth.best for one in parted if one.split == "train"}  # type: ignore[union-attr]
    assert len(learnt) == 90 / each, "every name is learnt"


def test_equal_pictures_and_groups_stay_together() -> None:
    data = Dataset([sample(n, "ab"[n % 2], shade=n // 3, group=None if n % 3 else f"g{n // 6}") for n in range(120)])
    parted = split(data)
    for key in (lambda one: one.image.fingerprint(), lambda one: one.group):
        where: dict[Any, set[str | None]] = {}
        for one in parted:
            if key(one) is not None:
                where.setdefault(key(one), set()).add(one.split)
        assert all(len(found) == 1 for found in where.values())
    assert set(sides(parted)) == {"train", "val", "test"}


def test_unreadable_pictures_are_not_equal(tmp_path: Any) -> None:
    data = Dataset([Sample(str(n), (FileImage(tmp_path / f"{n}.png"),)) for n in range(40)])
    assert set(sides(split(data))) == {"train", "val", "test"}


def test_a_split_by_attribute_runs_forward() -> None:
    """Days are parted whole and in order, even where the last day is large."""
    sizes = [10, 12, 8, 11, 9, 3, 40]
    days = [day for day, size in enumerate(sizes) for _ in range(size)]
    data = Dataset([sample(n, attributes={"day": f"2026-01-{day:02}"}) for n, day in enumerate(days)])
    parted = split(data, by="day")
    spans = {side: {one.attributes["day"] for one in parted if one.split == side} for side in ("train", "val", "test")}
    assert max(spans["train"]) < min(spans["val"]) <= max(spans["val"]) < min(spans["test"])


@pytest.mark.parametrize(("days", "want"), [(1, {"train"}), (2, {"train", "val"}), (3, {"train", "val", "test"})])
def test_few_values_of_an_attribute(days: int, want: set[str]) -> None:
    data = Dataset([sample(n, attributes={"day": n % days}) for n in range(30)])
    assert set(sides(split(data, by="day"))) == want


def test_a_split_that_is_given_is_kept() -> None:
    whole = Dataset([sample(n, split=("train", "val", "test")[n % 3]) for n in range(9)])
    assert split(whole) is whole
    tested = Dataset([sample(n, split="test" if n < 10 else "train") for n in range(60)])
    parted = split(tested)
    assert [one.split for one in parted][:10] == ["test"] * 10
    assert sides(parted)["test"] == 10
    assert 5 <= sides(parted)["val"] <= 10
    valued = split(Dataset([sample(n, split="val" if n < 10 else None) for n in range(60)]))
    assert sides(valued)["val"] == 10


def test_sides_of_nothing() -> None:
    assert set(sides(split(Dataset([sample(n) for n in range(20)]), test=0))) == {"train", "val"}
    assert set(sides(split(Dataset([sample(n) for n in range(3)])))) == {"train", "val", "test"}
    assert sides(split(Dataset([sample(0)]))) == {"train": 1}
    assert sides(split(Dataset([]))) == {}
    one_group = Dataset([sample(n, group="one") for n in range(9)])
    assert sides(split(one_group)) == {"train": 9}


def test_a_split_makes_no_truth_before_it_is_asked_for() -> None:
    class Heavy(Dataset):
        pass

    made: list[int] = []

    class Lazy(list[Sample]):
        def __getitem__(self, index: Any) -> Any:
            made.append(index)
            return super().__getitem__(index)

    parted = split(Heavy(Lazy([sample(n, None) for n in range(10)])))
    made.clear()
    assert parted[3].id == "3"
    assert made == [3]
    assert [one.id for one in parted.samples[1:3]] == ["1", "2"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.none() | st.integers(0, 5)), min_size=1, max_size=40)
)
def test_nothing_is_lost_and_nothing_is_parted(rows: list[tuple[int, int, int | None]]) -> None:
    data = Dataset(
        [
            sample(n, str(name), shade=shade, group=None if group is None else str(group))
            for n, (name, shade, group) in enumerate(rows)
        ]
    )
    parted = split(data)
    assert [one.id for one in parted] == [one.id for one in data]
    assert {one.split for one in parted} <= {"train", "val", "test"}
    assert "train" in sides(parted)
    for n, one in enumerate(rows):
        for m, other in enumerate(rows):
            if one[1] == other[1] or (one[2] is not None and one[2] == other[2]):
                assert parted[n].split == parted[m].split


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
