"""Metrics of numbers equal scikit-learn's on random cases; intervals are counted by hand."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from sightline.core.annotations import Value
from sightline.core.errors import InputError
from sightline.metrics.numbers import (
    interval_coverage,
    interval_score,
    mean_absolute_error,
    r_squared,
    root_mean_square_error,
)
from tests.metrics._simulated import NAMES


def test_equal_to_scikit_learn() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true, given = rng.normal(size=(2, int(rng.integers(1, 20)), int(rng.integers(1, 6))))
        names = NAMES[: true.shape[1]]
        order = rng.permutation(len(names))
        truths = [Value(names, row) for row in true]
        answers = [Value(tuple(names[i] for i in order), row[order]) for row in given]
        wanted = oracle.mean_absolute_error(true, given)
        assert mean_absolute_error(truths, answers).value == pytest.approx(wanted, abs=1e-12)
        wanted = np.sqrt(oracle.mean_squared_error(true, given))
        assert root_mean_square_error(truths, answers).value == pytest.approx(wanted, abs=1e-12)
        if len(true) > 1:
            assert r_squared(truths, answers).value == pytest.approx(oracle.r2_score(true, given), abs=1e-9)


def test_a_missing_number_is_refused_and_bytes_do_not_wrap() -> None:
    with pytest.raises(InputError, match="give each one"):
        mean_absolute_error([Value(("a", "b"), np.zeros(2))], [Value(("a",), np.zeros(1))])
    small, large = (Value(("a",), np.array([n], np.uint8)) for n in (3, 5))
    assert mean_absolute_error([small], [large]).value == 2.0


def test_a_number_that_nobody_knows_counts_nowhere() -> None:
    truths = [Value(("a", "b"), np.array(row)) for row in ([1.0, np.nan], [2.0, 6.0], [np.nan, np.nan], [4.0, 8.0])]
    answers = [Value(("a", "b"), np.array(row)) for row in ([1.5, 9.0], [2.0, 5.0], [7.0, 7.0], [4.0, 8.0])]
    assert mean_absolute_error(truths, answers).value == pytest.approx((0.5 + 0.5 + 0) / 3)
    a = 1 - 0.25 / np.var([1, 2, 4]) / 3
    b = 1 - 1 / 2.0
    assert r_squared(truths, answers).value == pytest.approx((a + b) / 2)
    lost = [Value(("a", "b"), np.array([np.nan, np.nan]))]
    assert np.isnan(mean_absolute_error(lost, answers[:1]).value)
    assert np.isnan(mean_absolute_error(truths[1:2], lost).value), "an answer that is none must not win"


def test_intervals_are_counted_as_wide_as_they_were_found_to_have_to_be() -> None:
    truths = [Value(("a",), np.array([number])) for number in (1.0, 2.0, 3.0)]
    answers = [Value(("a",), np.zeros(1), np.array([-1.5]), np.array([1.5])) for _ in truths]
    assert interval_coverage(truths, answers).value == pytest.approx(1 / 3)
    assert interval_score(truths, answers).value == pytest.approx(3.0 + 20 * (0.5 + 1.5) / 3)
    measured = {"intervals": {"a": 1.5}}
    assert interval_coverage(truths, answers, thresholds=measured).value == pytest.approx(2 / 3)
    assert interval_score(truths, answers, thresholds=measured).value == pytest.approx(4.5 + 20 * 0.75 / 3)
    points = [Value(("a",), truth.numbers) for truth in truths]
    assert interval_coverage(truths, points).value == 1.0
    assert interval_score(truths, points).value == 0.0


def test_a_number_that_never_differs_has_no_variance_to_explain() -> None:
    same = [Value(("a",), np.array([5.0]))] * 3
    assert np.isnan(r_squared(same, same).value)
