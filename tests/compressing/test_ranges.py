"""Where activations lie: what was seen, and what each rule makes of it."""

import numpy as np
import pytest

from sightline.compressing.folding import parsed
from sightline.compressing.ranges import RULES, Spread, observe, ranges
from tests.compressing.graphs import load, network, pictures


def spread(values: np.ndarray) -> Spread:
    made = Spread()
    for part in np.array_split(values, 5):
        made.widen(part)
    for part in np.array_split(values, 5):
        made.count(part)
    return made


def test_every_number_is_between_the_ends_and_counted() -> None:
    values = np.random.default_rng(0).normal(2, 1, 10_000)
    made = spread(values)
    assert made.range("minmax") == (min(0, values.min()), values.max())
    assert made.counts.sum() == len(values)


@pytest.mark.parametrize("rule", ["percentile", "entropy"])
def test_one_wild_number_is_cut(rule: str) -> None:
    values = np.r_[np.random.default_rng(0).normal(0, 1, 200_000), 500.0]
    low, high = spread(values).range(rule)
    assert -8 < low < -2
    assert 2 < high < 60


@pytest.mark.parametrize("rule", RULES)
def test_zero_is_always_inside_and_nothing_seen_is_nothing_said(rule: str) -> None:
    low, high = spread(np.random.default_rng(0).uniform(3, 4, 1000)).range(rule)
    assert low <= 0 < 3 <= high
    assert Spread().range(rule) == (0, 0)


def test_even_numbers_lose_nothing_by_entropy() -> None:
    low, high = spread(np.random.default_rng(0).uniform(0, 1, 100_000)).range("entropy")
    assert low == 0
    assert high > 0.97


def test_inner_tensors_are_those_of_the_graph() -> None:
    fed = pictures()
    seen = observe(parsed(network()), ("Conv", "Gemm"), fed)
    assert set(seen) == {"x", "a", "d", "e", "i", "logits"}
    pixels = np.concatenate([arrays["x"] for arrays in fed])
    said = np.concatenate([load(network())(arrays)["logits"] for arrays in fed])
    found = ranges(seen, "minmax")
    assert found["x"] == pytest.approx((pixels.min(), pixels.max()))
    assert found["logits"] == pytest.approx((min(0, said.min()), max(0, said.max())), abs=1e-4)
    assert seen["d"].low == 0
