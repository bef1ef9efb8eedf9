"""Borders drawn twice: how far apart, and whether hands differ at the border or about the thing."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from sightline.auditing.borders import borders, coefficients_of


def disc(radius: float, at: tuple[float, float] = (20, 20), size: int = 41) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return np.hypot(y - at[0], x - at[1]) <= radius


def test_equal_masks_have_no_distance() -> None:
    found = borders(disc(8), disc(8))
    assert (found.mean, found.far, found.differing, found.near) == (0.0, 0.0, 0, 0)


def test_distances_are_those_of_all_pairs_of_border_pixels() -> None:
    first, second = disc(8), disc(11, (22, 19))
    found = borders(first, second)

    def edge(mask: np.ndarray) -> np.ndarray:
        padded = np.pad(mask, 1, constant_values=True)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        return np.argwhere(mask & ~inner)

    far = cdist(edge(first), edge(second))
    apart = np.concatenate([far.min(1), far.min(0)])
    assert found.mean == pytest.approx(apart.mean())
    assert found.far == pytest.approx(np.quantile(apart, 0.95))
    assert found.differing == int((first ^ second).sum())


def test_a_ragged_border_and_another_thing_are_told_apart() -> None:
    ragged = borders(disc(10), disc(11))
    assert ragged.near == ragged.differing > 0
    second = disc(10) | disc(5, (34, 34))
    missed = borders(disc(10), second)
    assert missed.near < 0.6 * missed.differing
    assert missed.far > 5 > ragged.far


def test_what_one_hand_left_empty_has_no_distance_but_differs() -> None:
    found = borders(disc(5), np.zeros((41, 41), bool))
    assert np.isnan(found.mean)
    assert found.differing == int(disc(5).sum())
    assert coefficients_of([[found]]) == ()


def test_the_edge_of_the_picture_is_no_border() -> None:
    left = np.zeros((20, 20), bool)
    left[:, :10] = True
    moved = np.zeros((20, 20), bool)
    moved[:, :13] = True
    assert borders(left, moved).mean == 3.0


def test_coefficients_have_intervals_over_pictures() -> None:
    found = [[borders(disc(8), disc(8 + n % 2))] for n in range(12)]
    mean, far, share = coefficients_of(found)
    assert mean.low < mean.value < mean.high
    assert mean.value < far.value
    assert share.value == 1.0
