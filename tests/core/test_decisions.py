"""Decisions on drawn numbers whose outcome can be told by hand."""

import numpy as np
import pytest

from sightline.core.annotations import Labels, Objects, Regions
from sightline.core.calibration import NOTHING, Calibration
from sightline.core.conformal import Sets
from sightline.core.decisions import LEAST, Decision, decide, found, judge, operating_point, smooth, suffices
from sightline.core.errors import InputError


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


# ------------------------------------------------------------------------------------------------------ I don't know

SETS = Sets("score", 0.9, {0.9: (0.3,), 0.99: (0.05,)}, 500)
KNOWN = Calibration(("a", "b", "c"), sets=SETS, count=500)


def labels(*scores: float, outlier: float | None = None) -> Labels:
    return Labels(("a", "b", "c"), np.array(scores, np.float32), outlier)


def test_one_name_that_conforms_is_sure() -> None:
    made = judge(labels(0.7, 0.2, 0.1, outlier=0.4), KNOWN)
    assert made is not None
    assert (made.best, made.names, made.level, made.unsure, made.why) == ("a", ("a",), 0.9, False, "")
    assert made.to_json()["unsure"] is False


def test_several_names_or_an_unlike_picture_are_unsure_for_reasons_in_words() -> None:
    several = judge(labels(0.35, 0.55, 0.1), KNOWN)
    assert several is not None
    assert (several.best, several.names, several.why) == ("b", ("b", "a"), "may be b or a")
    odd = judge(labels(0.9, 0.05, 0.05, outlier=1.01), KNOWN)
    assert odd is not None
    assert (odd.unsure, odd.why) == (True, "unlike the pictures it learnt from")
    surer = judge(labels(0.7, 0.2, 0.1), KNOWN, level=0.99)
    assert surer is not None
    assert surer.names == ("a", "b", "c")
    low = judge(labels(0.7, 0.2, 0.1), KNOWN, least=0.8)
    assert low is not None
    assert low.why == "scores less than 0.8"


def test_a_set_is_never_empty_and_the_best_name_is_always_in_it() -> None:
    made = judge(labels(0.29, 0.28, 0.27), Calibration(("a", "b", "c"), sets=SETS, count=500))
    assert made is not None
    assert made.names == ("a",)


def test_without_calibration_the_best_name_stands_alone_and_broken_scores_are_doubted() -> None:
    made = judge(labels(0.4, 0.35, 0.25), NOTHING)
    assert made is not None
    assert (made.names, made.level, made.unsure) == (("a",), None, False)
    broken = judge(labels(np.nan, np.nan, np.nan), KNOWN)
    assert broken is not None
    assert broken.unsure
    assert judge(Labels(("a",)), KNOWN) is None
    assert judge(things([], [], []), KNOWN) is None


def test_names_that_hold_by_themselves_are_no_doubt_of_each_other() -> None:
    made = judge(labels(0.9, 0.8, 0.1), NOTHING)
    assert made is not None
    assert (made.names, made.unsure) == (("a", "b"), False)


def test_each_thing_is_found_once_by_the_surest_answer() -> None:
    truth = things([(0, 0, 10, 10)], [0], None)
    answer = things([(0, 0, 10, 9), (0, 0, 10, 10), (0, 0, 10, 10)], [0, 0, 1], [0.6, 0.9, 0.95])
    assert found(truth, answer).tolist() == [False, True, False]


def test_a_decision_stands_where_it_scores_enough_and_is_not_unsure() -> None:
    sure, unsure = (Decision("a", 0.8, ("a",), None, None, why) for why in ("", "may be a or b"))
    assert [sure.stands(0.8), sure.stands(0.81), unsure.stands(0.5)] == [True, False, False]
    answer = Labels(("a", "b"), np.array([0.3, 0.7], np.float32))
    assert [suffices(answer, one, 0.8) for one in (sure, unsure)] == [True, False]


def test_a_decision_comes_back_from_json_and_a_false_one_does_not() -> None:
    made = Decision("a", 0.75, ("a", "b"), 0.9, 1.5, "may be a or b")
    assert Decision.from_json(made.to_json()) == made
    for wrong in (
        {"score": 2},
        {"score": "high"},
        {"best": "c"},
        {"unsure": False},
        {"level": "much"},
        {"names": None},
    ):
        with pytest.raises(InputError):
            Decision.from_json(made.to_json() | wrong)
    with pytest.raises(InputError):
        Decision.from_json(None)


def _things(*scores: float, apart: bool = True) -> Objects:
    boxes = np.array([[30.0 * place * apart, 0, 30.0 * place * apart + 20, 20] for place in range(len(scores))])
    column = np.array(scores, np.float32)
    return Objects(boxes.astype(np.float32).reshape(-1, 4), np.zeros(len(scores), np.int64), ("a",), column)


def test_things_suffice_where_each_is_as_good_as_there_or_as_good_as_absent() -> None:
    assert suffices(_things(0.95, 0.92, 0.08, 0.02), None, 0.9)
    assert suffices(_things(), None, 0.9)
    assert suffices(_things(0.1, 0.9), None, 0.9)
    assert not suffices(_things(0.95, 0.6), None, 0.9)
    assert not suffices(_things(0.95, 0.2), None, 0.9)
    assert not suffices(_things(np.nan), None, 0.9)
    assert suffices(_things(0.95, 0.5, apart=False), None, 0.9)  # the same thing found twice


def test_names_that_stand_side_by_side_suffice_where_none_is_in_doubt() -> None:
    tags = [Labels(("a", "b", "c"), np.array(row, np.float32)) for row in ((0.95, 0.9, 0.03), (0.95, 0.4, 0.0))]
    assert [suffices(one, None, 0.9) for one in tags] == [True, False]
    assert suffices(tags[1], None, 0.5)
    assert not suffices(Labels(("a",)), None, 0.5)
    assert not suffices(Regions(np.zeros((2, 2), np.uint8), ("a",)), None, 0.0)
