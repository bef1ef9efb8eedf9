"""Intervals: never of no width for want of luck, never outside what can be, the same on every run."""

import json
import math
import time
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.tally import SHARE, Tally, mean, mean_known
from sightline.evaluating.intervals import interval
from sightline.metrics.objects import average_precision
from tests.metrics._simulated import NAMES, objects


def shares(right: int, count: int, groups: np.ndarray | None = None) -> Tally:
    rows = (np.arange(count) < right).astype(np.float64)[:, None]
    return Tally(rows, mean, "higher", groups, limits=SHARE)


def test_wilson_equals_its_published_example() -> None:
    """Newcombe 1998, table I: 81 of 263 is .2553 to .3662, and 0 of 20 is 0 to .1611."""
    shown = interval(shares(81, 263))
    assert (round(shown.low, 4), round(shown.high, 4), shown.method) == (0.2553, 0.3662, "Wilson")
    none = interval(shares(0, 20))
    assert (none.low, round(none.high, 4)) == (0.0, 0.1611)


@pytest.mark.parametrize("right", [0, 24])
@pytest.mark.parametrize("groups", [None, np.arange(24) % 4, np.zeros(24)])
def test_all_wrong_or_all_right_still_has_a_width(right: int, groups: np.ndarray | None) -> None:
    shown = interval(shares(right, 24, groups))
    assert shown.high - shown.low > 0.1
    assert shown.low <= shown.value <= shown.high


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_intervals_hold_their_value_and_keep_the_limits(
    rows: list[float], groups: int, grouped: bool, level: float
) -> None:
    names = np.arange(len(rows)) % groups if grouped else None
    shown = interval(Tally(np.array(rows)[:, None], mean, "lower", names, limits=SHARE), level=level, draws=50)
    if not math.isnan(shown.low):
        assert 0.0 <= shown.low <= shown.value + 1e-12
        assert shown.value - 1e-12 <= shown.high <= 1.0
    json.dumps(shown.to_json(), allow_nan=False)


@given(st.integers(1, 40), st.integers(40, 400))
def test_more_samples_and_lower_levels_narrow_it(right: int, count: int) -> None:
    narrow, wide = interval(shares(right * 4, count * 4)), interval(shares(right, count))
    assert narrow.high - narrow.low < wide.high - wide.low
    low = interval(shares(right, count), level=0.5)
    assert low.high - low.low < wide.high - wide.low


def test_a_mean_of_normal_rows_is_close_to_its_closed_form() -> None:
    rows = np.random.default_rng(0).normal(5, 2, (400, 1))
    shown = interval(Tally(rows, mean, "lower"), draws=4000)
    reach = NormalDist().inv_cdf(0.975) * rows.std() / 20
    assert shown.method == "bootstrap t"
    assert (shown.low, shown.high) == pytest.approx((rows.mean() - reach, rows.mean() + reach), abs=0.03)


def test_copies_in_a_group_tell_nothing_new() -> None:
    """Eight copies of each sample: as rows the width would shrink by the root of eight."""
    once = (np.random.default_rng(1).random(40) < 0.7).astype(np.float64)
    alone = interval(Tally(once[:, None], mean, "higher", np.arange(40), limits=SHARE))
    copied = Tally(np.repeat(once, 8)[:, None], mean, "higher", np.repeat(np.arange(40), 8), limits=SHARE)
    grouped = interval(copied)
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high))
    assert "groups" in grouped.method


def test_rows_without_a_say_are_not_counted() -> None:
    rows = np.array([1, 0, 1, 1, math.nan, math.nan])[:, None]
    shown = interval(Tally(rows, mean_known, "higher", limits=SHARE))
    assert (shown.value, shown.count) == (0.75, 4)


def test_a_value_that_is_no_number_has_no_interval() -> None:
    shown = interval(Tally(np.array([[1.0], [math.nan]]), mean, "higher"))
    assert math.isnan(shown.value)
    assert math.isnan(shown.low)
    assert shown.to_json()["value"] is None


def test_one_row_tells_nothing_of_others() -> None:
    assert math.isnan(interval(Tally(np.ones((1, 1)), mean, "lower")).low)


def test_an_estimate_that_copies_would_bias_is_never_drawn_with_copies() -> None:
    seen = []

    def distinct(rows: np.ndarray) -> float:
        seen.append(len(np.unique(rows)) == len(rows))
        return float(rows.mean())

    rows = np.random.default_rng(2).normal(size=(50, 1))
    shown = interval(Tally(rows, distinct, "lower", resample=False, of="this estimate"), draws=200)
    assert all(seen)
    assert (shown.of, shown.method) == ("this estimate", "half samples")
    closed = 1.96 * rows.std() / math.sqrt(50)
    assert (shown.high - shown.low) / 2 == pytest.approx(closed, rel=0.2)


def test_the_same_seed_gives_the_same_interval_and_level_is_checked() -> None:
    tally = Tally(np.random.default_rng(3).random((30, 1)), mean, "lower")
    assert interval(tally, seed=1).to_json() == interval(tally, seed=1).to_json()
    assert interval(tally, seed=1).low != interval(tally, seed=2).low
    with pytest.raises(ValueError, match="level"):
        interval(tally, level=95)
    assert str(interval(tally)).endswith("n=30)")
    assert str(interval(tally.take(np.array([0])))).endswith("(no interval, n=1)")


def test_average_precision_is_quick_enough_to_be_drawn_a_thousand_times() -> None:
    """200 pictures of about five boxes; the claim is under three seconds, alone on a core."""
    tally = average_precision(*objects(np.random.default_rng(4), 200, NAMES, 5.0))
    rng = np.random.default_rng(5)
    start = time.process_time()
    for _ in range(1000):
        tally.reduce(tally.rows[rng.integers(0, 200, 200)])
    assert time.process_time() - start < 3
    start = time.process_time()
    interval(tally)
    assert time.process_time() - start < 3
