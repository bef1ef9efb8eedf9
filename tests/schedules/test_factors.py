"""Shapes of the schedules at the places where they are known."""

import math

import pytest

from sightline.schedules.factors import constant, cosine, linear, one_cycle, plateau, steps, triangle


def test_constant_is_constant() -> None:
    assert [constant(progress, []) for progress in (0, 0.5, 1)] == [1, 1, 1]


def test_cosine_falls_by_half_a_wave() -> None:
    assert cosine(0, []) == 1
    assert cosine(0.5, [], last=0.2) == pytest.approx(0.6)
    assert cosine(1, [], last=0.2) == pytest.approx(0.2)
    assert cosine(0.25, [], last=0) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert cosine(1.5, [], last=0.2) == pytest.approx(0.2), "it never turns up again"


def test_linear_is_a_straight_line() -> None:
    assert [linear(progress, [], last=0.2) for progress in (0, 0.5, 1, 2)] == pytest.approx([1, 0.6, 0.2, 0.2])


def test_steps_go_down_at_their_places() -> None:
    assert [steps(p, [], at=(0.5, 0.75), factor=0.1) for p in (0, 0.49, 0.5, 0.74, 0.75, 1)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )
    assert steps(0.9, [], at=()) == 1


def test_one_cycle_peaks_where_it_is_told_and_ends_near_nothing() -> None:
    assert one_cycle(0, [], first=0.04) == pytest.approx(0.04)
    assert one_cycle(0.3, [], peak=0.3) == pytest.approx(1)
    assert one_cycle(1, []) == pytest.approx(1e-4)
    factors = [one_cycle(step / 1000, [], peak=0.4) for step in range(1001)]
    assert factors.index(max(factors)) == 400
    assert factors[:401] == sorted(factors[:401])
    assert factors[400:] == sorted(factors[400:], reverse=True)


def test_triangle_goes_straight_up_and_straight_down() -> None:
    places = (0, 0.1, 0.2, 0.6, 1, 2)
    assert [triangle(p, [], peak=0.2, first=0.2, last=0) for p in places] == pytest.approx([0.2, 0.6, 1, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("history", "drops"),
    [
        ([], 0),
        ([1, 2, 3, 4, 5], 0),
        ([5, 4, 4], 0),
        ([5, 4, 4, 4], 1),
        ([5, 4, 4, 4, 6, 1, 1], 1),
        ([5, 4, 4, 4, 4, 4, 4], 2),
        ([5, 5, 5, 5], 1),
    ],
)
def test_plateau_drops_after_three_that_brought_nothing(history: list[float], drops: int) -> None:
    assert plateau(0.5, history, factor=0.3, patience=3) == pytest.approx(0.3**drops)


def test_plateau_waits_as_long_as_it_is_told() -> None:
    assert plateau(0, [5, 4], patience=1, factor=0.5) == 0.5
    assert plateau(0, [5, 4, 4, 4], patience=5, factor=0.5) == 1
