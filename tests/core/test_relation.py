"""How two pictures lie on each other: directions, measures, and what is refused."""

import numpy as np
import pytest

from sightline.core.errors import InputError
from sightline.core.relation import (
    Field,
    Matches,
    Move,
    centred,
    corner_error,
    edged,
    end_point_error,
    sureness,
)

SIZE = (40, 60)


def shifted(x: float, y: float, kind: str = "shift") -> Move:
    return Move(np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]), kind, SIZE, SIZE)


def test_a_move_leads_from_the_second_to_the_first() -> None:
    first = np.zeros((*SIZE, 1), np.uint8)
    first[10:14, 20:25] = 200
    second = np.roll(first, (3, -7), (0, 1))
    move = shifted(7, -3)
    assert np.array_equal(move.warp.pixels(second, fill=0), first)
    assert np.array_equal(move.inverse().warp.pixels(first, fill=0), second)
    assert move.warp.points(np.array([[13.0, 13.0]])).tolist() == [[20, 10]]


def test_a_field_leads_from_the_first_to_the_second_and_lays_it_back() -> None:
    first = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
    second = np.roll(first, (2, 5), (0, 1))
    field = Field(np.broadcast_to(np.array([5, 2], np.float32), (*SIZE, 2)).copy(), SIZE)
    laid = field.warp.pixels(second)
    assert np.array_equal(laid[:-2, :-5], first[:-2, :-5])
    assert field.lengths == pytest.approx(np.hypot(5, 2))
    assert field.first == SIZE


def test_errors_are_in_pixels() -> None:
    assert corner_error(shifted(3, 4), np.eye(3)) == pytest.approx(5)
    assert shifted(3, 4).gap(shifted(0, 0)) == pytest.approx(5)
    truth = np.zeros((*SIZE, 2))
    steps = truth + np.array([3, 4])
    steps[:, :30] = 0
    assert end_point_error(steps, truth) == pytest.approx(2.5)
    assert end_point_error(steps, truth, np.arange(60)[None].repeat(40, 0) >= 30) == pytest.approx(5)
    with pytest.raises(InputError, match="cannot be measured"):
        end_point_error(steps, truth[:3])


def test_overlap_is_a_share_of_the_first() -> None:
    assert shifted(0, 0).overlap() == pytest.approx(1)
    assert shifted(30, 0).overlap() == pytest.approx(0.5)
    assert shifted(-30, 20).overlap() == pytest.approx(0.25)
    assert shifted(100, 0).overlap() == 0
    folded = Move(np.array([[1, 0, 0], [0, 1, 0], [0.1, 0.1, -1.0]]), "homography", SIZE, SIZE)
    assert folded.overlap() == 0


def test_a_residual_counts_those_that_agree() -> None:
    points = np.array([[1, 1, 0, 0], [5, 9, 4, 6.0], [30, 30, 0, 0]])
    matches = Matches(points, np.ones(3), SIZE, SIZE)
    move = Move(
        np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1.0]]), "shift", SIZE, SIZE, 1.0, matches, np.array([1, 1, 0]) > 0
    )
    assert move.residual() == pytest.approx(np.sqrt((0 + 4) / 2))
    assert shifted(1, 1).residual() == 0
    assert len(matches.take([0, 2])) == 2
    assert move.to_json()["agreeing"] == 2


def test_sureness_is_one_half_where_chance_may_do_as_much() -> None:
    assert sureness(8 + 30, 100) == pytest.approx(0.5)
    assert sureness(0, 50) == 0
    assert sureness(90, 100) > 0.8


def test_middles_and_edges_are_ways_of_saying_the_same() -> None:
    matrix = np.array([[2, 0.1, 3], [-0.2, 1, 4], [1e-4, 0, 1]])
    assert edged(centred(matrix)) == pytest.approx(matrix)
    assert centred(np.diag([2.0, 2.0, 1.0]))[:2, 2] == pytest.approx([0.5, 0.5])


def test_an_unknown_kind_of_move_is_refused() -> None:
    with pytest.raises(ValueError, match="a move is one of"):
        shifted(0, 0, "bend")
