"""Groups around middles: the sums of the reference, weights as copies, and the number that parts rows best."""

import numpy as np
import pytest

from sightline.core.grouping import choose, grouped, ratio, silhouette, silhouettes

cluster = pytest.importorskip("sklearn.cluster")
metrics = pytest.importorskip("sklearn.metrics")


def blobs(count: int, each: int = 40, width: int = 5, seed: int = 0, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng([count, seed])
    middles = rng.permutation(np.eye(max(count, width))[:count, :width] * 12 + rng.normal(0, 3, (count, width)))
    return np.concatenate([middle + rng.normal(0, spread, (each, width)) for middle in middles])


@pytest.mark.parametrize("width", [2, 7, 40])
@pytest.mark.parametrize("weighed", [False, True])
def test_the_end_is_that_of_the_reference(width: int, weighed: bool) -> None:
    rng = np.random.default_rng(width)
    rows = rng.normal(100, 2, (300, width))  # far from zero, where squares lose digits
    weights = rng.integers(1, 20, 300).astype(float) if weighed else None
    begin = rows[:6]
    want = cluster.KMeans(6, init=begin, n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(
        rows, sample_weight=weights
    )
    found = grouped(rows, 6, weights=weights, begin=begin)
    assert found.inertia == pytest.approx(want.inertia_, rel=1e-6)
    assert np.array_equal(found.nearest, want.labels_)
    assert np.allclose(found.middles, want.cluster_centers_)
    best = cluster.KMeans(6, n_init=10, random_state=0).fit(rows, sample_weight=weights)
    assert grouped(rows, 6, weights=weights, starts=10).inertia < 1.02 * best.inertia_


def test_scores_are_those_of_the_reference() -> None:
    rows = np.random.default_rng(1).normal(50, 3, (1500, 6))  # more than are looked at together
    groups = grouped(rows, 5)
    assert np.allclose(silhouettes(rows, groups.nearest), metrics.silhouette_samples(rows, groups.nearest), atol=1e-6)
    assert ratio(rows, groups) == pytest.approx(metrics.calinski_harabasz_score(rows, groups.nearest), rel=1e-6)
    alone = np.array([0, 1, 1, 1, 2])
    few = np.array([[0.0, 0], [5, 5], [5, 6], [6, 5], [9, 0]])
    assert np.allclose(silhouettes(few, alone), metrics.silhouette_samples(few, alone))
    assert silhouettes(few, np.zeros(5, int)).tolist() == [0] * 5


def test_a_weight_is_as_many_copies() -> None:
    rng = np.random.default_rng(2)
    rows, weights = rng.normal(0, 1, (60, 3)), rng.integers(1, 5, 60)
    copies = np.repeat(np.arange(60), weights)
    groups, again = grouped(rows, 4, weights=weights), grouped(rows[copies], 4, begin=rows[:4])
    nearest = groups.nearest[copies]
    assert silhouette(rows, groups.nearest, weights) == pytest.approx(metrics.silhouette_score(rows[copies], nearest))
    same = grouped(rows, 4, weights=weights, begin=rows[:4])
    assert same.inertia == pytest.approx(again.inertia)
    assert ratio(rows, same, weights) == pytest.approx(ratio(rows[copies], again))


@pytest.mark.parametrize("by", ["silhouette", "ratio"])
def test_the_number_of_groups_is_found(by: str) -> None:
    for count in range(2, 9):
        found = choose(blobs(count, width=8), by=by)
        assert found.count == count, (by, count)
        assert [score.count for score in found.scores] == list(range(2, 13))
        assert len(np.unique(found.groups.nearest)) == count


def test_the_same_seed_gives_the_same_groups() -> None:
    rows = np.random.default_rng(3).normal(0, 1, (200, 4))
    first, second = grouped(rows, 7, seed=5), grouped(rows, 7, seed=5)
    assert np.array_equal(first.nearest, second.nearest)
    assert np.array_equal(first.middles, second.middles)
    assert not np.array_equal(first.nearest, grouped(rows, 7, seed=6).nearest)


def test_fewer_rows_that_differ_are_fewer_groups() -> None:
    rows = np.repeat([[0.0, 0], [4, 0], [0, 4]], 10, 0)
    found = grouped(rows, 8)
    assert len(found) == 3
    assert found.inertia == pytest.approx(0, abs=1e-20)
    chosen = choose(rows)
    assert chosen.count == 3
    assert [score.count for score in chosen.scores] == [2, 3]
    assert choose(rows, by="ratio").count == 3
    same = choose(np.ones((9, 4)))
    assert (same.count, same.scores) == (1, ())


def test_a_middle_that_is_left_alone_takes_the_farthest_row() -> None:
    rows = np.array([[0.0], [1], [2], [30]])
    found = grouped(rows, 3, begin=np.array([[0.0], [1], [900]]))
    assert len(found) == 3
    assert found.nearest[3] not in found.nearest[:3]


def test_distances_are_from_each_middle() -> None:
    rows = np.array([[3.0, 4], [0, 0]])
    found = grouped(rows, 2)
    assert np.allclose(np.sort(found.distances(rows), 1), [[0, 5], [0, 5]])
