"""Decisions on drawn numbers whose outcome can be told by hand."""

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects, Regions
from sightline.core.decisions import LEAST, decide, operating_point, smooth


def things(rows: list[tuple[float, float, float, float]], classes: list[int], scores: list[float] | None) -> Objects:
    known = None if scores is None else np.array(scores, np.float32)
    return Objects(np.array(rows, np.float32).reshape(-1, 4), np.array(classes, np.int64), ("a", "b"), known)


def test_a_threshold_keeps_what_scores_enough() -> None:
    answer = things([(0, 0, 4, 4), (10, 0, 14, 4), (20, 0, 24, 4)], [0, 1, 0], [0.9, 0.5, 0.49])
    assert isinstance(kept := decide(answer), Objects)
    assert kept.classes.tolist() == [0, 1]
    assert isinstance(every := decide(answer, least=0.0), Objects)
    assert len(every) == 3


def test_the_lesser_of_two_answers_in_one_place_is_dropped_whatever_its_name() -> None:
    answer = things([(0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 10, 6)], [0, 1, 1], [0.8, 0.9, 0.7])
    assert isinstance(kept := decide(answer), Objects)
    assert kept.scores is not None
    assert sorted(kept.scores.tolist()) == pytest.approx([0.7, 0.9]), "IoU .9 is one place, IoU .67 are two"


def test_records_without_places_are_left_alone() -> None:
    labels = Labels(("a",), np.array([0.1]))
    assert decide(labels) is labels
    truth = things([(0, 0, 4, 4)], [0], None)
    assert decide(truth) is truth


def test_nothing_stays_nothing() -> None:
    assert len(decide(things([], [], []))) == 0  # type: ignore[arg-type]


def test_the_operating_point_is_where_f1_is_best() -> None:
    truth = things([(0, 0, 10, 10), (20, 0, 30, 10)], [0, 1], None)
    answer = things(
        [(0, 0, 10, 10), (20, 0, 30, 10), (50, 0, 60, 10), (20, 0, 30, 10)], [0, 1, 0, 0], [0.9, 0.4, 0.3, 0.2]
    )
    assert operating_point([truth], [answer]) == pytest.approx(0.4)


def test_a_second_answer_for_one_thing_counts_as_wrong() -> None:
    truth = things([(0, 0, 10, 10)], [0], None)
    answer = things([(0, 0, 10, 10), (0, 0, 10, 10)], [0, 0], [0.9, 0.8])
    assert operating_point([truth], [answer]) == pytest.approx(0.9)


def test_where_nothing_is_right_the_usual_threshold_stands() -> None:
    truth = things([(0, 0, 10, 10)], [0], None)
    assert operating_point([truth], [things([(50, 50, 60, 60)], [0], [0.9])]) == LEAST
    assert operating_point([], []) == LEAST


def test_smoothing_removes_a_speck_keeps_a_block_and_leaves_ties() -> None:
    classes = np.zeros((9, 9), np.uint8)
    classes[1, 1] = 1
    classes[4:8, 4:8] = 2
    made = smooth(Regions(classes, ("ground", "speck", "block"))).classes
    assert made[1, 1] == 0
    assert (made[5:7, 5:7] == 2).all()
    assert set(np.unique(made)) == {0, 2}
    stripes = np.tile([0, 0, 1, 1], (4, 1)).astype(np.uint8)
    assert np.array_equal(smooth(Regions(stripes, ("a", "b"))).classes, stripes)
