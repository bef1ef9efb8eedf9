"""Coefficients of agreement against published examples, the reference library and planted truths."""

import numpy as np
import pytest

from sightline.auditing.agreement import NONE, cohen, dice, fleiss, interval, krippendorff, overlap, staple

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", data of section C: 4 observers, 12 units, gaps.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
).T
PUBLISHED = np.where(OBSERVERS == 0, NONE, OBSERVERS)
# Fleiss 1971, table as it is widely reprinted: 10 subjects, 14 raters, 5 categories; kappa 0.210.
SUBJECTS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]
)  # fmt: skip


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_the_published_one(level: str, published: float) -> None:
    values = np.arange(10)
    assert krippendorff(PUBLISHED, level=level, values=values) == pytest.approx(published, abs=5e-4)


def test_kappa_of_many_is_the_published_one() -> None:
    ratings = np.array([np.repeat(np.arange(5), row) for row in SUBJECTS])
    assert fleiss(ratings) == pytest.approx(0.210, abs=5e-4)
    shuffled = np.random.default_rng(0).permuted(ratings, axis=1)
    assert fleiss(shuffled) == pytest.approx(fleiss(ratings)), "raters need not be the same ones"


@pytest.mark.parametrize("weights", ["plain", "linear", "quadratic"])
def test_kappa_of_two_is_the_library_s(weights: str) -> None:
    reference = pytest.importorskip("sklearn.metrics").cohen_kappa_score
    rng = np.random.default_rng(0)
    for _ in range(20):
        first = rng.integers(0, 4, 60)
        second = np.where(rng.random(60) < 0.6, first, rng.integers(0, 4, 60))
        wanted = reference(first, second, weights=None if weights == "plain" else weights)
        assert cohen(first, second, weights=weights) == pytest.approx(wanted)
        assert fleiss(np.stack([first, second], 1)) == pytest.approx(
            krippendorff(np.stack([first, second], 1)), abs=0.02
        )


def test_perfect_and_opposite() -> None:
    same = np.array([[0, 0], [1, 1], [2, 2]])
    assert cohen(*same.T) == fleiss(same) == krippendorff(same) == 1
    assert cohen(np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0])) == -1
    assert krippendorff(np.array([[1, 1], [1, 1]])) == 1
    nothing = np.full((3, 2), NONE)
    assert np.isnan(cohen(*nothing.T))
    assert np.isnan(fleiss(nothing))
    assert np.isnan(krippendorff(nothing))


def test_chance_agrees_at_zero() -> None:
    ratings = np.random.default_rng(0).integers(0, 3, (4000, 3))
    assert abs(fleiss(ratings)) < 0.02
    assert abs(krippendorff(ratings, level="ordinal")) < 0.03
    assert abs(cohen(ratings[:, 0], ratings[:, 1])) < 0.04


def test_overlap_of_masks() -> None:
    first, second = np.zeros((2, 10, 10), bool)
    first[:5], second[:, :5] = True, True
    assert dice(first, second) == pytest.approx(0.5)
    assert overlap(first, second) == pytest.approx(25 / 75)
    assert dice(first & False, second & False) == overlap(first & False, second & False) == 1


def test_staple_finds_the_truth_and_how_good_each_is() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((80, 80), bool)
    truth[20:60, 25:55] = True
    rates = [(0.95, 0.98), (0.9, 0.97), (0.6, 0.9), (0.85, 0.6)]
    masks = np.stack([np.where(truth, rng.random(truth.shape) < p, rng.random(truth.shape) > q) for p, q in rates])
    found = staple(masks)
    assert dice(found.mask, truth) > 0.94
    assert dice(found.mask, truth) > dice(masks.mean(0) >= 0.5, truth)
    assert found.sensitivity == pytest.approx([p for p, _ in rates], abs=0.03)
    assert found.specificity == pytest.approx([q for _, q in rates], abs=0.03)
    one = staple(np.stack([truth, truth, truth]))
    assert (one.mask == truth).all()


def test_an_interval_covers() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(60):
        ratings = np.where(rng.random((80, 2)) < 0.7, rng.integers(0, 3, (80, 1)), rng.integers(0, 3, (80, 2)))
        low, high = interval(80, lambda rows, given=ratings: krippendorff(given[rows]), draws=150)
        held += low <= 0.49 <= high  # both as the shared draw with probability 0.7 squared; else by chance
    assert 51 <= held <= 60
    assert np.isnan(interval(1, lambda rows: 1.0)[0])
