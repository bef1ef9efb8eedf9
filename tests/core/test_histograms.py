"""Distances of histograms, in closed form and against OpenCV and scipy, and pictures found again by their colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import stats

from sightline.core import catalog
from sightline.core.histograms import chi_square, earth_movers, nearest
from sightline.sources import drawn


def shares(seed: int, bins: int = 16) -> np.ndarray:
    made = np.random.default_rng(seed).random(bins)
    return np.asarray(made / made.sum())


def test_twins_and_strangers() -> None:
    one, other = np.array([1.0, 0, 0, 0]), np.array([0, 0, 0, 1.0])
    for far in (chi_square, earth_movers):
        assert far(one, one) == 0
        assert far(one, other) == 1
    assert earth_movers(one, np.array([0, 1.0, 0, 0])) == pytest.approx(1 / 3)
    assert chi_square(one, np.array([0, 1.0, 0, 0])) == 1, "chi-square does not see that bins are near"


@pytest.mark.parametrize("seed", range(4))
def test_they_are_those_of_the_references(seed: int) -> None:
    one, other = shares(seed), shares(seed + 9)
    want = cv2.compareHist(one.astype(np.float32), other.astype(np.float32), cv2.HISTCMP_CHISQR_ALT) / 4
    assert chi_square(one, other) == pytest.approx(want, rel=1e-4)
    places = np.linspace(0, 1, 16)
    assert earth_movers(one, other) == pytest.approx(stats.wasserstein_distance(places, places, one, other))
    two = earth_movers(np.concatenate([one, other]), np.concatenate([other, other]), groups=2)
    assert two == pytest.approx(earth_movers(one, other) / 2)


@pytest.mark.parametrize("by", ["chi_square", "earth_movers"])
def test_pictures_of_one_world_are_found_by_their_colours(by: str) -> None:
    worlds = ("cells", "mushrooms", "street", "documents")
    scenes = [(world, drawn.draw(world, 5, 96, index=index).image) for world in worlds for index in range(6)]
    rows = np.stack([np.square(catalog.find("features", "colour_histogram")(image, joint=0)) for _, image in scenes])
    right = 0
    for place, (world, _) in enumerate(scenes):
        order = [row for row in nearest(rows[place], rows, by=by, groups=3).tolist() if row != place]
        right += scenes[order[0]][0] == world
    assert right >= 0.9 * len(scenes)
