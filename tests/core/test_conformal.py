"""Sets keep their word: over a thousand random splits as the theory says, not only on average."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from sightline.core.conformal import LEVELS, Sets, conformity, make_sets, may_miss, threshold

SPLITS = 1000
POOL = 30_000


def pool(seed: int, names: int = 6, sharp: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a network that is wrong about its own sureness, and the true numbers."""
    rng = np.random.default_rng(seed)
    true = rng.choice(names, POOL, p=rng.dirichlet(np.full(names, 5.0)))
    logs = rng.normal(size=(POOL, names)) + sharp * np.eye(names)[true]
    logs *= 2.2
    powers = np.exp(logs - logs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True), true


def coverages(own: np.ndarray, count: int, level: float, seed: int) -> np.ndarray:
    """For each split: the share of all others whose set would hold the truth, by `threshold` alone."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(SPLITS):
        aside = rng.choice(len(own), count, replace=False)
        held = own >= threshold(own[aside], level)
        found.append((held.sum() - held[aside].sum()) / (len(own) - count))
    return np.array(found)


@pytest.mark.parametrize("way", ["score", "mass"])
@pytest.mark.parametrize("count", [200, 1000])
def test_coverage_over_a_thousand_splits_is_what_the_theory_says(way: str, count: int) -> None:
    scores, true = pool(1)
    own = conformity(scores, way)[np.arange(POOL), true]
    level = 0.9
    found = coverages(own, count, level, 2)
    missed = may_miss(count, level)
    spread = found.std(ddof=1) / math.sqrt(SPLITS)
    assert level - 3 * spread <= found.mean() <= level + 1 / (count + 1) + 3 * spread
    assert stats.kstest(found, stats.beta(count + 1 - missed, missed).cdf).pvalue > 0.001


def test_each_name_by_itself_keeps_the_promise_too() -> None:
    scores, true = pool(3, names=3)
    rng = np.random.default_rng(4)
    found: list[list[float]] = [[], [], []]
    marginal: list[list[float]] = [[], [], []]
    for _ in range(150):
        part = rng.permutation(POOL)[:1500]
        half, aside = part[:600], part[600:]
        made = make_sets((_leaning(scores[half]), true[half]), (_leaning(scores[aside]), true[aside]))
        assert made is not None
        if len(made.levels[0.9]) == 1:
            continue  # chance hid it from the half that chooses
        inside = made.names(_leaning(scores), 0.9)[np.arange(POOL), true]
        shared = Sets("score", 0.9, {0.9: (threshold(_own(scores, true)[aside], 0.9),)}, 900)
        all_alike = shared.names(_leaning(scores), 0.9)[np.arange(POOL), true]
        for name in range(3):
            found[name].append(float(inside[true == name].mean()))
            marginal[name].append(float(all_alike[true == name].mean()))
    assert len(found[0]) > 120, "a leaning network fails one name, so each gets a threshold of its own"
    counts = np.bincount(true, minlength=3) / POOL * 900
    for name in range(3):
        spread = 3 * np.std(found[name]) / math.sqrt(len(found[name]))
        assert 0.9 - spread <= np.mean(found[name]) <= 0.9 + 1.3 / counts[name] + spread
    assert min(np.mean(marginal[name]) for name in range(3)) < 0.86, "one threshold for all would have failed a name"


def _leaning(scores: np.ndarray) -> np.ndarray:
    leaning = scores * np.array([1.0, 0.15, 4.0])
    return np.asarray(leaning / leaning.sum(1, keepdims=True))


def _own(scores: np.ndarray, true: np.ndarray) -> np.ndarray:
    return _leaning(scores)[np.arange(len(true)), true]


def test_mass_takes_names_until_enough_is_held() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(conformity(scores, "mass"), [[1.0, 0.5, 0.2], [0.2, 0.1, 1.0]], atol=1e-12)
    np.testing.assert_array_equal(conformity(scores, "score"), scores)


@pytest.mark.parametrize(
    ("count", "level", "rank"), [(9, 0.9, 1), (8, 0.9, 0), (19, 0.95, 1), (99, 0.99, 1), (999, 0.9, 100)]
)
def test_the_rank_is_exact_where_floats_are_not(count: int, level: float, rank: int) -> None:
    assert may_miss(count, level) == rank


def test_too_few_promise_nothing_and_few_promise_less() -> None:
    scores, true = pool(5)
    none = (scores[:0], true[:0])
    assert make_sets(none, (scores[:8], true[:8])) is None
    few = make_sets(none, (scores[:30], true[:30]))
    assert few is not None
    assert tuple(few.levels) == LEVELS[:2]


def test_the_usual_level_lies_above_what_the_best_name_alone_reaches() -> None:
    for sharp, usual in ((1.5, 0.9), (2.8, 0.95), (4.2, 0.99)):
        scores, true = pool(6, sharp=sharp)
        made = make_sets((scores[:1000], true[:1000]), (scores[1000:3000], true[1000:3000]))
        assert made is not None
        assert made.usual == usual, float((scores.argmax(1) == true).mean())
        sizes = made.names(scores).sum(1)
        assert np.maximum(1, sizes).mean() < 3


def test_they_are_plain_json_and_unknown_levels_are_named() -> None:
    scores, true = pool(7)
    made = make_sets((scores[:500], true[:500]), (scores[500:1000], true[500:1000]))
    assert made is not None
    assert Sets.from_json(json.loads(json.dumps(made.to_json()))) == made
    with pytest.raises(KeyError, match=r"no sets were made at 0.8; there are 0.9, 0.95, 0.99"):
        made.names(scores, 0.8)


def test_a_name_that_conforms_exactly_as_well_is_in_the_set() -> None:
    made = Sets("score", 0.9, {0.9: (0.3,)}, 9)
    assert made.names(np.array([[0.3, 0.7, 0.0]])).tolist() == [[True, True, False]]
