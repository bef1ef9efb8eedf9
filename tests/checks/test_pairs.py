"""Pairs of a damaged and a clean picture: what a look at some of them tells before anything is learnt."""

import numpy as np

from sightline.checks.pairs import equal_pairs, pair_sizes
from sightline.core.annotations import Picture
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.pairs import LOOKED, pairs
from sightline.core.sample import Sample


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
