"""The sequential test: it may be looked at as often as one likes, and finds what is there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sightline.serving.sequential import MEAN, RATIO, Pair, Sums, compare, refutes

TRIALS, TOTAL, STEP = 60, 4000, 100


def looks(values: np.ndarray, tried: np.ndarray, subjects: np.ndarray) -> list[Pair]:
    """What each look sees."""
    seen = []
    for end in range(STEP, len(values) + 1, STEP):
        sides = [tried[:end] == side for side in (False, True)]
        seen.append(tuple(Sums.of(values[:end][side], subjects[:end][side]) for side in sides))
    return seen  # type: ignore[return-value]


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_equals_are_called_different_in_few_of_many_trials(share: float) -> None:
    rng = np.random.default_rng(7)
    wrong = [0, 0, 0]
    for _ in range(TRIALS):
        tried, alone = rng.random(TOTAL) < share, np.arange(TOTAL)
        wrong[0] += any(refutes([pair]) for pair in looks(1.0 * (rng.random(TOTAL) < 0.1), tried, alone))
        seconds = rng.lognormal(0, 0.5, TOTAL)
        wrong[1] += any(compare([pair], RATIO).differs for pair in looks(np.log(seconds), tried, alone))
        callers = rng.integers(0, 120, TOTAL)  # few callers, each with a rate and an arm of its own
        own = (rng.random(120) < share)[callers]
        rates = rng.beta(0.5, 2, 120)[callers]
        wrong[2] += any(refutes([pair]) for pair in looks(1.0 * (rng.random(TOTAL) < rates), own, callers))
    assert max(wrong) <= 0.05 * TRIALS + 3 * math.sqrt(0.05 * 0.95 * TRIALS)
    assert sum(wrong) <= 0.05 * 3 * TRIALS


def test_what_looks_are_for_is_found_and_early_where_it_is_large() -> None:
    rng = np.random.default_rng(1)
    tried = rng.random(20_000) < 0.5
    values = 1.0 * (rng.random(20_000) < np.where(tried, 0.15, 0.10))
    found = compare([looks(values, tried, np.arange(20_000))[-1]])
    assert found.above(0.02)
    assert not found.above(0.06)
    assert found.low < 0.05 < found.high
    assert (found.even, round(sum(found.counts))) == (0.0, 20_000)
    broken = (Sums.of(np.zeros(190)), Sums.of(np.ones(8)))
    assert refutes([broken])
    assert compare([broken]).above(0.0)
    assert not refutes([(Sums.of(np.zeros(190)), Sums.of(np.ones(1)))])


def test_the_interval_and_the_quick_question_agree() -> None:
    rng = np.random.default_rng(3)
    for trial in range(40):
        sizes, rates = rng.integers(5, 3000, 2), rng.uniform(0, 1, 2) ** (1 + trial % 4)
        pair = tuple(Sums.of(1.0 * (rng.random(size) < rate)) for size, rate in zip(sizes, rates, strict=True))
        assert compare([pair]).differs == refutes([pair])  # type: ignore[list-item]


def test_many_requests_of_one_caller_are_one_witness() -> None:
    values = np.concatenate([np.ones(300), np.zeros(2700)])  # one of thirty callers fails a hundred times over
    callers = np.repeat(np.arange(30), 100)
    clean = Sums.of(np.zeros(3000), callers)
    single = Sums.of(np.zeros(3000)), Sums.of(values)
    clustered = clean, Sums.of(values, np.repeat(np.arange(30), 100))
    assert refutes([single])
    assert not refutes([clustered])
    few = Sums.of(np.zeros(500), np.repeat(np.arange(5), 100)), Sums.of(np.ones(500), np.repeat(np.arange(5), 100))
    assert (compare([few]).low, compare([few]).high) == (-1.0, 1.0)


def test_a_share_that_changes_while_the_world_changes_is_no_evidence() -> None:
    rng = np.random.default_rng(5)
    strata = []
    for rate, share in ((0.02, 0.05), (0.4, 0.5)):
        tried = rng.random(6000) < share
        strata.append(looks(1.0 * (rng.random(6000) < rate), tried, np.arange(6000))[-1])
    pooled = tuple(Sums(*(sum(column) for column in zip(*map(_parts, side), strict=True))) for side in zip(*strata))  # noqa: B905
    assert refutes([pooled])  # type: ignore[list-item]
    assert not refutes(strata)
    assert not compare(strata).differs
    little = (Sums.of(np.zeros(9)), Sums.of(np.ones(2)))
    assert [refutes([little] * count) for count in (1, 2, 3)] == [False, True, True]  # each says some of it


def _parts(sums: Sums) -> tuple[float, ...]:
    return tuple(getattr(sums, name) for name in Sums.__slots__)


def test_means_wait_for_enough_and_ratios_are_of_times() -> None:
    rng = np.random.default_rng(2)
    little = Sums.of(rng.normal(0, 1, 20)), Sums.of(rng.normal(9, 1, 20))
    assert (compare([little], MEAN).low, compare([little], MEAN).high) == (-math.inf, math.inf)
    pair = Sums.of(rng.normal(-4, 0.3, 2000)), Sums.of(rng.normal(-4 + math.log(1.2), 0.3, 2000))
    found = compare([pair], RATIO)
    assert found.low < 1.2 < found.high
    assert found.above(1.1)
    assert found.even == 1.0
    assert found.control == pytest.approx(math.exp(-4), rel=0.05)
    nothing = compare([], RATIO)
    assert not nothing.differs
    assert nothing.counts == (0, 0)
