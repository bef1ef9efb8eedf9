"""Splits and folds: balanced, repeatable, written by hash, and never between copies or members of a group."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import ties
from sightline.core.annotations import Labels, Objects, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError
from sightline.core.files import canonical, digest
from sightline.core.image import ArrayImage, BytesImage, FileImage
from sightline.core.known import remember
from sightline.core.progress import Event
from sightline.core.sample import Sample
from sightline.core.splitting import folds, nested_folds, split, split_digest


def picture(value: int) -> ArrayImage:
    return ArrayImage(np.full((2, 2, 1), value, np.uint16))


def sample(number: int, name: str | None = "a", *, shade: int | None = None, **more: Any) -> Sample:
    truth = None if name is None else Labels((name,))
    return Sample(f"{number}", (picture(number if shade is None else shade),), truth, **more)


def sides(data: Dataset) -> dict[str | None, int]:
    return dict(Counter(one.split for one in data))


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


@pytest.mark.parametrize("seed", [0, 1, 7, 12])
def test_every_name_is_learnt_where_groups_are_few_and_large(seed: int) -> None:
    """Of each name one group of ten and one of twenty: too few for three sides, and that is said."""
    rows = [(name, f"{name}{row < 10}") for name in "abc" for row in range(30)]
    data = Dataset([sample(n, name, shade=n, group=group) for n, (name, group) in enumerate(rows)])
    events: list[Event] = []
    parted = split(data, seed=seed, tell=events.append)
    held = {side: {one.truth.best for one in parted if one.split == side} for side in ("train", "val", "test")}  # type: ignore[union-attr]
    assert held["train"] == set("abc")
    assert held["val"]
    assert held["test"]
    said = {side: names for event in events if event.kind == "warn" for side, names in event.facts.items()}
    assert said == {side: sorted(set("abc") - held[side]) for side in ("test", "val") if held[side] != set("abc")}
    assert said


def test_a_name_of_few_pictures_is_not_said_to_be_missing() -> None:
    events: list[Event] = []
    rows = [("rare" if n < 3 else "ab"[n % 2], "pair" if n > 57 else None) for n in range(60)]
    data = Dataset([sample(n, name, shade=n, group=group) for n, (name, group) in enumerate(rows)])
    parted = split(data, tell=events.append)
    assert {one.split for one in parted if one.truth.best == "rare"} == {"train"}  # type: ignore[union-attr]
    assert [event.text for event in events if event.kind == "warn"] == []


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


def scene(seed: int) -> np.ndarray:
    """Blobs of many sizes and colours: a picture that is like no other."""
    rng = np.random.default_rng(seed)
    pixels = np.full((40, 40, 3), 90, np.uint8)
    for _ in range(14):
        y, x = rng.integers(0, 34, 2)
        pixels[y : y + rng.integers(4, 20), x : x + rng.integers(4, 20)] = rng.integers(0, 255, 3)
    return pixels


def mirrored(seed: int) -> np.ndarray:
    return np.ascontiguousarray(scene(seed)[:, ::-1])


def test_near_duplicates_stay_together_and_it_is_said() -> None:
    """Twenty scenes and twenty mirrored ones, beside forty that are alone."""
    pixels = [scene(n) for n in range(60)] + [mirrored(n) for n in range(20)]
    data = Dataset([Sample(f"{n}", (ArrayImage(one),), Labels(("ab"[n % 2],))) for n, one in enumerate(pixels)])
    for seed in range(3):
        told: list[Event] = []
        parted = split(data, seed=seed, val=0.3, test=0.3, tell=told.append)
        assert all(parted[n].split == parted[60 + n].split for n in range(20))
        assert [event.text for event in told if event.kind == "note"] == ["20 near duplicates kept together"]
    loose = split(data, val=0.3, test=0.3, copies=False)
    assert any(loose[n].split != loose[60 + n].split for n in range(20)), "which shows that the test can fail"
    for fold in folds(data, 4):
        assert all(fold[n].split == fold[60 + n].split for n in range(20))


def test_without_copies_no_picture_is_opened() -> None:
    class Closed(BytesImage):
        def encoded(self) -> bytes:
            raise AssertionError

        fingerprint = read = encoded  # type: ignore[assignment]

    data = Dataset([Sample(f"{n}", (Closed(b""),), Labels(("ab"[n % 2],)), group=f"{n // 2}") for n in range(40)])
    parted = split(data, copies=False)
    assert all(parted[n].split == parted[n + 1].split for n in range(0, 40, 2))
    assert len(folds(data, 3, copies=False)) == 3


def test_a_crowd_of_lookalikes_is_not_all_on_one_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ties, "LARGEST", 0.0)
    shifted = [np.clip(scene(0).astype(int) + n, 0, 255).astype(np.uint8) for n in range(50)]
    data = Dataset([Sample(f"{n}", (ArrayImage(one),), Labels(("a",))) for n, one in enumerate(shifted)])
    told: list[Event] = []
    parted = split(data, tell=told.append)
    assert set(sides(parted)) == {"train", "val", "test"}
    (warned,) = (event.text for event in told if event.kind == "warn")
    assert "so many pictures resemble one another" in warned


def test_values_of_an_attribute_stay_whole_before_lookalikes() -> None:
    pixels = [scene(n) for n in range(20)] + [mirrored(n) for n in range(20)]
    data = Dataset([Sample(f"{n:02}", (ArrayImage(one),), attributes={"day": n // 10}) for n, one in enumerate(pixels)])
    told: list[Event] = []
    parted = split(data, by="day", tell=told.append)
    assert [one.split for one in parted] == ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    assert "20 pairs of near duplicates have different values of 'day'" in [event.text for event in told]
    with pytest.raises(SettingsError, match="no sample has the attribute 'site'"):
        split(data, by="site")


def test_several_names_a_picture_are_balanced_by_each_name() -> None:
    """Iterative stratification: a name that is rare and comes with others is on every side."""
    rng = np.random.default_rng(0)
    rows = [
        tuple(name for name, share in zip("abcd", (0.5, 0.3, 0.1, 0.04), strict=True) if rng.random() < share)
        for _ in range(600)
    ]
    data = Dataset([Sample(f"{n}", (picture(n),), Labels(names)) for n, names in enumerate(rows)], kind=Labels)
    parted = split(data)
    whole = Counter(name for names in rows for name in names)
    for side, share in (("train", 0.7), ("val", 0.15), ("test", 0.15)):
        part = parted.side(side)
        assert abs(len(part) - share * 600) <= 6
        for name in "abcd":
            assert abs(part.counts()[name] - share * whole[name]) <= 1.5
    for fold in folds(data, 5):
        assert abs(fold.side("val").counts()["d"] - whole["d"] / 5) <= 1.5


def test_objects_are_balanced_by_their_commonest_name_and_numbers_by_range() -> None:
    def things(n: int) -> Objects:
        classes = np.array([0, 0, 1] if n % 10 else [1, 1, 0])
        return Objects(np.tile(np.array([[0, 0, 1, 1]], np.float32), (3, 1)), classes, ("a", "b"))

    data = Dataset([Sample(f"{n}", (picture(n),), things(n)) for n in range(200)], kind=Objects)
    parted = split(data)
    rare = [sum(one.truth.classes[0] == 1 for one in parted.side(side)) for side in ("train", "val", "test")]  # type: ignore[union-attr]
    assert rare == [14, 3, 3]
    values = Dataset([Sample(f"{n}", (picture(n),), Value(("x",), np.array([float(n)]))) for n in range(400)])
    held = [float(one.truth.numbers[0]) for one in split(values).side("val")]  # type: ignore[union-attr]
    assert all(np.histogram(held, 10, (0, 400))[0] >= 5), "every range of the number is measured"
    assert len(held) == 60


def test_folds_part_everything_once_and_keep_what_is_given() -> None:
    data = Dataset([sample(n, "abc"[n % 3], group=f"g{n // 2}", split="test" if n >= 90 else None) for n in range(100)])
    made = folds(data, 5, seed=3)
    assert [sides(one) for one in folds(data, 5, seed=3)] == [sides(one) for one in made]
    assert [split_digest(one) for one in folds(data, 5, seed=4)] != [split_digest(one) for one in made]
    held = Counter(one.id for fold in made for one in fold.side("val"))
    assert held == Counter(f"{n}" for n in range(90)), "each once"
    for fold in made:
        assert len(fold.side("test")) == 10
        assert 16 <= len(fold.side("val")) <= 20
        assert all(3 <= count <= 9 for count in fold.side("val").counts().values())
        assert all(fold[n].split == fold[n + 1].split for n in range(0, 90, 2))
    for wrong, why in ((1, "give 2 or more"), (46, "46 folds of 45 groups of samples that stay together: give 45")):
        with pytest.raises(SettingsError, match=why):
            folds(data, wrong)
    by = Dataset([sample(n, attributes={"site": n % 3}) for n in range(30)])
    assert {one.attributes["site"] for one in folds(by, 3, by="site")[1].side("val")} == {1}
    with pytest.raises(SettingsError, match="4 folds of 3 values of 'site'"):
        folds(by, 4, by="site")


def test_nested_folds_choose_without_seeing_what_is_reported() -> None:
    data = Dataset([sample(n, "ab"[n % 2], group=f"g{n // 2}") for n in range(80)])
    made = nested_folds(data, 4, 3)
    assert [len(inner) for inner in made] == [3] * 4
    tested = Counter(one.id for inner in made for one in inner[0].side("test"))
    assert tested == Counter(one.id for one in data)
    for inner in made:
        outside = {one.id for one in inner[0].side("test")}
        assert all({one.id for one in fold.side("test")} == outside for fold in inner)
        held = Counter(one.id for fold in inner for one in fold.side("val"))
        assert held == Counter(one.id for one in data if one.id not in outside)


def test_shares_that_leave_nothing_are_refused() -> None:
    data = Dataset([sample(n) for n in range(9)])
    for shares, why in (
        ({"val": 1.0}, "val = 1.0"),
        ({"test": -0.1}, "test = -0.1"),
        ({"val": 0.5, "test": 0.5}, "nothing"),
    ):
        with pytest.raises(SettingsError, match=why):
            split(data, **shares)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 10_001])
def test_the_hash_of_a_split_is_that_of_its_canonical_pairs(count: int) -> None:
    data = Dataset([Sample(f'é"\n\udcff{n}', split=("train", None)[n % 2]) for n in range(count)])
    assert split_digest(data) == digest(canonical([[one.id, one.split] for one in data]))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 8), st.integers(0, 30)), min_size=2, max_size=60),
    st.integers(0, 3),
    st.integers(2, 4),
)
def test_planted_groups_and_copies_are_never_parted(rows: list[tuple[int, int | None, int]], seed: int, k: int) -> None:
    """Groups and equal pictures, chained in any way, lie on one side of every split and every fold."""
    data = Dataset(
        [
            sample(n, str(name), shade=shade, group=None if group is None else str(group))
            for n, (name, group, shade) in enumerate(rows)
        ]
    )
    made = [split(data, seed=seed, val=0.3, test=0.3)]
    try:
        made += folds(data, k, seed=seed)
    except SettingsError:
        assert len({group for _, group, _ in rows}) <= k * 3
    for parted in made:
        where = [one.split for one in parted]
        for n, (_, group, shade) in enumerate(rows):
            for m in range(n):
                if shade == rows[m][2] or (group is not None and group == rows[m][1]):
                    assert where[n] == where[m]


def test_columns_say_what_samples_say() -> None:
    data = Dataset([sample(n, "ab"[n % 2], group=f"g{n}", split="val" if n % 2 else None) for n in range(6)])
    for made in (data, remember(data), data[1:4], split(data, copies=False), data.map(lambda one: one)):
        for field in ("id", "split", "group"):
            assert list(made.column(field)) == [getattr(one, field) for one in made]
        assert [*made.column("names")] == [one.truth.names for one in made]  # type: ignore[union-attr]
    assert [one.id for one in data.where("names", lambda names: "a" in names)] == ["0", "2", "4"]


def test_a_layout_without_columns_is_walked_a_few_times_not_once_a_sample() -> None:
    class Counting(list[Sample]):
        made = 0

        def __getitem__(self, index: Any) -> Any:
            type(self).made += 1
            return super().__getitem__(index)

    split(Dataset(Counting(sample(n, "ab"[n % 2]) for n in range(200))), copies=False)
    assert Counting.made <= 20 * 200
