"""Comparing: a clear difference is named, an unclear one is not, and unlike things are refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import InputError
from sightline.core.tally import SHARE, Tally, mean
from sightline.evaluating.comparing import compare
from sightline.metrics.distributions import frechet
from sightline.metrics.vectors import recall_at_1
from tests.metrics._simulated import pictures, vectors


def losses(rows: np.ndarray, better: str = "lower") -> Tally:
    return Tally(rows.reshape(-1, 1), mean, better)


HARD = np.random.default_rng(0).lognormal(0, 1, 100)


@pytest.mark.parametrize(("better", "winner"), [("lower", "first"), ("higher", "second")])
def test_a_small_but_steady_difference_is_seen_because_rows_are_paired(better: str, winner: str) -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, 100)
    shown = compare(losses(HARD, better), losses(HARD + 0.05 + noise, better))
    assert shown.verdict == winner
    assert shown.low <= shown.difference <= shown.high < 0
    assert shown.ahead == (1.0 if winner == "first" else 0.0)


def test_noise_is_not_ranked() -> None:
    shown = compare(losses(HARD), losses(HARD + np.random.default_rng(6).normal(0, 0.5, 100)))
    assert shown.low <= 0 <= shown.high
    assert shown.verdict == "cannot tell"
    assert 0.02 < shown.ahead < 0.98


def test_equal_models_are_not_told_apart() -> None:
    shown = compare(losses(HARD), losses(HARD.copy()))
    assert (shown.difference, shown.verdict, shown.ahead) == (0.0, "cannot tell", 0.5)


def test_equal_models_are_rarely_ranked() -> None:
    """400 pairs of equal models: a wrong ranking in about five of a hundred, as 95 % says."""
    wrong = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        hard = rng.random(100)
        pair = [(hard + rng.normal(0, 0.15, 100) < 0.8).astype(np.float64)[:, None] for _ in range(2)]
        first, second = (Tally(rows, mean, "higher", limits=SHARE) for rows in pair)
        wrong += compare(first, second, draws=300).verdict != "cannot tell"
    assert 0.01 <= wrong / 400 <= 0.08


@given(st.integers(0, 1000), st.sampled_from(["higher", "lower"]))
def test_swapping_the_two_swaps_the_verdict(seed: int, better: str) -> None:
    rng = np.random.default_rng(seed)
    first, second = losses(rng.random(20), better), losses(rng.random(20) + 0.2, better)
    one, other = compare(first, second, draws=100), compare(second, first, draws=100)
    swapped = {"first": "second", "second": "first", "cannot tell": "cannot tell"}
    assert other.verdict == swapped[one.verdict]
    assert (other.difference, other.ahead) == pytest.approx((-one.difference, 1 - one.ahead))
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))


def test_a_nan_model_never_wins() -> None:
    for pair in ((losses(HARD), losses(HARD * math.nan)), (losses(HARD * math.nan), losses(HARD))):
        shown = compare(*pair)
        assert shown.verdict == "cannot tell"
        assert shown.to_json()["low"] is None


def test_groups_are_kept_whole() -> None:
    """Three classes that differ: sure as sixty rows and in every draw of classes, but not of three classes."""
    groups = np.repeat([0, 1, 2], 20)
    gain = np.repeat([0.5, 0.3, 0.1], 20) + np.random.default_rng(3).normal(0, 0.01, 60)
    flat = np.zeros((60, 1))
    assert compare(losses(gain), losses(flat)).verdict == "second"
    assert compare(Tally(gain[:, None], mean, "lower", groups), Tally(flat, mean, "lower", groups)).verdict == (
        "cannot tell"
    )


def test_retrieval_and_distributions_can_be_compared() -> None:
    truths, learnt = vectors(np.random.default_rng(4), 128, apart=2.0)
    chance = vectors(np.random.default_rng(5), 128, apart=0.0)[1]
    assert compare(recall_at_1(truths, learnt), recall_at_1(truths, chance)).verdict == "first"
    real, noisy = pictures(np.random.default_rng(6), 80)
    dark = [type(p)(p.pixels // 2) for p in noisy]
    shown = compare(frechet(real, dark), frechet(real, noisy))
    assert (shown.verdict, shown.of) == ("second", "this estimate")


def test_unlike_tallies_are_refused() -> None:
    with pytest.raises(InputError, match="99 samples"):
        compare(losses(HARD[:99]), losses(HARD))
    with pytest.raises(InputError, match="different metrics"):
        compare(losses(HARD), losses(HARD, "higher"))
    grouped = Tally(HARD[:, None], mean, "lower", np.arange(100))
    for other in (losses(HARD), Tally(HARD[:, None], mean, "lower", np.arange(100)[::-1])):
        with pytest.raises(InputError, match="different groups"):
            compare(grouped, other)


def test_the_answer_is_plain_json_and_the_same_on_every_run() -> None:
    one, two = (compare(losses(HARD), losses(HARD[::-1].copy())) for _ in range(2))
    assert one.to_json() == two.to_json()
    assert json.loads(json.dumps(one.to_json(), allow_nan=False))["verdict"] == "cannot tell"
