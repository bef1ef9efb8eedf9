"""Pairs of a damaged and a clean picture: what a look at some of them tells before anything is learnt."""

from functools import partial

import numpy as np
import pytest

from sightline.checks.pairs import equal_pairs, pair_sizes
from sightline.checks.truths import unreadable_truths
from sightline.core.annotations import Picture
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.measures import measure_all
from sightline.core.pairs import LOOKED, pairs
from sightline.core.sample import Sample
from sightline.formats._later import later


def some(count: int, times: int = 1, *, same: bool = False) -> list[Sample]:
    made = []
    for n in range(count):
        pixels = np.random.default_rng(n).integers(0, 200, (6, 8, 3)).astype(np.uint8)
        clean = np.kron(pixels if same else pixels + 1, np.ones((times, times, 1), np.uint8))
        made.append(Sample(f"{n}", (ArrayImage(pixels),), Picture(clean)))
    return made


def test_a_folder_written_over_the_other_makes_all_that_follows_worthless() -> None:
    (found,) = equal_pairs(Dataset(some(8, same=True)))
    assert (found.severity, found.text) == ("stop", "8 of 8 pairs looked at hold the same picture twice")
    (found,) = equal_pairs(Dataset([*some(7), *some(1, same=True)]))
    assert (found.severity, found.ids) == ("warn", ("0",))


def test_one_factor_for_all_is_how_coarse_pictures_are_and_no_fault() -> None:
    assert pair_sizes(Dataset(some(8, 3))) == []
    (found,) = pair_sizes(Dataset([*some(7, 2), Sample("x", some(1)[0].images, some(1)[0].truth)]))
    assert found.text == "1 of 8 pairs looked at differ in size, where others are 2 times as large"
    assert (found.ids, found.details) == (("x",), ("6 x 8 and 6 x 8",))


def test_no_more_than_some_pairs_are_opened() -> None:
    data = Dataset(some(10 * LOOKED))
    assert [pair.place for pair in pairs(data)] == list(range(0, 10 * LOOKED, 10))
    (pair,) = pairs(Dataset([Sample("a", (ArrayImage(np.zeros((6, 8, 3), np.uint8)),), Picture(np.zeros((12, 8, 3))))]))
    assert pair.factor == 0, "taller alone is no factor"


def test_where_as_many_fit_as_do_not_those_that_fit_are_the_usual_ones() -> None:
    odd = [Sample(f"x{n}", one.images, Picture(np.zeros((5, 7, 3), np.uint8))) for n, one in enumerate(some(3))]
    (found,) = pair_sizes(Dataset([*odd, *some(3, 2)]))
    assert found.ids == ("x0", "x1", "x2")
    assert found.text.endswith("differ in size, where others are 2 times as large")


def lost(count: int, broken: int) -> Dataset:
    """Pictures beside clean ones, some of which cannot be read; each look at a clean one is counted."""

    def read(place: int) -> Picture:
        looks.append(place)
        if place < broken:
            raise InputError("truncated", f"clean/{place}.png: cut short.")
        return Picture(np.zeros((6, 8, 3), np.uint8))

    looks.clear()
    return Dataset(
        [Sample(one.id, one.images, later(Picture, partial(read, int(one.id)))) for one in some(count)], kind=Picture
    )


looks: list[int] = []


def test_clean_pictures_that_cannot_be_read_are_named_and_more_than_half_are_the_end() -> None:
    (found,) = unreadable_truths(lost(8, 4))
    assert (found.severity, found.leave) == ("warn", ("0", "1", "2", "3"))
    assert found.text == "4 of 8 clean pictures looked at cannot be read (4 truncated); clean/0.png: cut short."
    assert unreadable_truths(lost(8, 5))[0].severity == "stop"


def test_a_quick_look_opens_some_of_many_clean_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightline.checks.truths.QUICK", 5)
    data = lost(40, 0)
    measure_all(data, range(0, 40, 2))
    assert unreadable_truths(data) == []
    assert looks == list(range(0, 40, 8)), "every fourth of those that were measured"
    data = lost(12, 0)
    assert unreadable_truths(data) == []
    assert looks == list(range(12)), "all, where all were measured"


def test_pairs_are_opened_once_for_all_who_ask() -> None:
    data = lost(8, 0)
    assert equal_pairs(data) == pair_sizes(data) == []
    assert looks == list(range(8))
