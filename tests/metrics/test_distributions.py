"""The Fréchet distance equals the one by scipy's matrix root on 200 random cases."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.metrics.distributions import _coarse, _distance, frechet
from tests.metrics._simulated import pictures


def by_scipy(real: np.ndarray, drawn: np.ndarray) -> float:
    spreads = np.cov(real, rowvar=False), np.cov(drawn, rowvar=False)
    root = sqrtm(spreads[0] @ spreads[1]).real
    apart = float(np.sum((real.mean(0) - drawn.mean(0)) ** 2))
    return apart + float(np.trace(spreads[0]) + np.trace(spreads[1]) - 2 * np.trace(root))


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_scipy(start: int) -> None:
    for seed in range(start, start + 50):
        rng = np.random.default_rng(seed)
        width = int(rng.integers(2, 12))
        count = int(rng.integers(2 * width, 60))
        mixes = rng.normal(size=(2, width, width))
        real, drawn = (rng.normal(size=(count, width)) @ mix + rng.normal(size=width) for mix in mixes)
        assert _distance(np.concatenate([real, drawn], 1)) == pytest.approx(by_scipy(real, drawn), rel=1e-6, abs=1e-6)


def test_equal_to_the_closed_form_of_spheres() -> None:
    """N(0, s1^2 I) and N(m, s2^2 I) are |m|^2 + d (s1 - s2)^2 apart (Dowson and Landau 1982)."""
    rng = np.random.default_rng(0)
    real, drawn = rng.normal(0, 1, (200_000, 4)), rng.normal(0.5, 2, (200_000, 4))
    assert _distance(np.concatenate([real, drawn], 1)) == pytest.approx(4 * 0.25 + 4, rel=0.01)


def test_fewer_pictures_than_numbers_need_no_care() -> None:
    """A singular covariance, where a matrix root turns complex."""
    real, drawn = pictures(np.random.default_rng(1), 10)
    assert frechet(real, real).value == pytest.approx(0, abs=1e-12)
    assert 0 < frechet(real, drawn).value < 1
    assert math.isnan(frechet(real[:1], drawn[:1]).value)


def test_it_lies_above_the_truth_and_less_so_for_more_pictures() -> None:
    """Two crowds of the same kind: the distance is 0, the estimate is not, as the docstring says."""
    values = []
    for count in (50, 200, 800):
        crowds = [pictures(np.random.default_rng(seed), 2 * count)[0] for seed in range(5)]
        values.append(np.mean([frechet(both[:count], both[count:]).value for both in crowds]))
    assert values[0] > 2 * values[1] > 4 * values[2] > 0


def test_cells_are_area_means_for_any_size_and_depth() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    expected = cv2.resize(picture.astype(np.float64), (4, 4), interpolation=cv2.INTER_AREA) / 255
    assert _coarse(picture) == pytest.approx(expected.ravel())
    wide = picture.astype(np.uint16) * 257
    assert _coarse(wide) == pytest.approx(_coarse(picture))
    assert _coarse(picture[:, :, 0]).shape == (64,)
    tiny = np.full((3, 5, 1), 255, np.uint8)
    assert _coarse(tiny) == pytest.approx(np.ones(64))


@given(st.integers(0, 10_000))
def test_the_order_of_each_side_means_nothing_and_sides_can_be_swapped(seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, drawn = pictures(rng, 12)
    value = frechet(real, drawn).value
    shuffled = [drawn[i] for i in rng.permutation(12)]
    assert frechet(real, shuffled).value == pytest.approx(value)
    assert frechet(drawn, real).value == pytest.approx(value)


def test_grey_and_colour_are_not_compared() -> None:
    grey, colour = Picture(np.zeros((8, 8, 1), np.uint8)), Picture(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="channels"):
        frechet([grey] * 4, [colour] * 4)
