"""Fewer numbers a row: the directions of the reference, and distances that random ones keep."""

import numpy as np
import pytest

from sightline.core.directions import directions, drawn, enough, parse, widest
from sightline.core.errors import SettingsError

decomposition = pytest.importorskip("sklearn.decomposition")
projection = pytest.importorskip("sklearn.random_projection")


@pytest.mark.parametrize(("count", "width", "kept"), [(200, 30, 5), (40, 120, 8), (90, 90, 30), (30, 6, 6)])
def test_directions_are_those_of_the_reference(count: int, width: int, kept: int) -> None:
    rng = np.random.default_rng(count)
    rows = rng.normal(0, 1, (count, width)) * np.linspace(9, 1, width) + rng.normal(50, 5, width)
    want = decomposition.PCA(kept, svd_solver="full").fit(rows)
    found = widest(rows, kept)
    signs = np.sign((found.axes * want.components_.T).sum(0))
    assert np.allclose(found(rows), want.transform(rows) * signs, atol=1e-6)
    assert np.allclose(found.axes, want.components_.T * signs, atol=1e-6)
    assert found.told == pytest.approx(want.explained_variance_ratio_.sum(), abs=1e-6)
    assert (found.axes[np.abs(found.axes).argmax(0), np.arange(kept)] > 0).all()


def test_no_more_directions_than_rows_differ_along() -> None:
    rows = np.outer(np.arange(6.0), [1.0, 2, 2])
    found = widest(rows, 3)
    assert found.axes.shape == (3, 1)
    assert found.told == pytest.approx(1)
    assert np.allclose(np.abs(np.diff(found(rows)[:, 0])), 3)
    assert widest(np.ones((4, 3)), 2)(np.ones((4, 3))).shape == (4, 0)


def test_random_directions_keep_every_distance() -> None:
    rows, gap = np.random.default_rng(0).normal(0, 1, (60, 3000)), 0.3
    kept = enough(60, gap)
    assert kept == projection.johnson_lindenstrauss_min_dim(60, eps=gap) + 1  # which rounds down
    shorter = drawn(rows, kept, seed=1)(rows)
    pairs = np.triu_indices(60, 1)
    before = np.square(rows[pairs[0]] - rows[pairs[1]]).sum(1)
    after = np.square(shorter[pairs[0]] - shorter[pairs[1]]).sum(1)
    assert np.abs(after / before - 1).max() <= gap
    assert abs(float((after / before).mean()) - 1) < 0.02
    assert np.array_equal(shorter, drawn(rows, kept, seed=1)(rows))
    assert not np.array_equal(shorter, drawn(rows, kept, seed=2)(rows))


def test_words() -> None:
    rows = np.random.default_rng(0).normal(0, 1, (9, 5))
    assert parse("pca:32") == ("pca", 32)
    assert directions(rows, "none") is None
    assert directions(rows, "random:5") is None, "no fewer numbers, so none are mixed"
    found = directions(rows, "random:3")
    assert found is not None
    assert found(rows).shape == (9, 3)
    for word in ("pca", "pca:", "pca:0", "pca:-1", "pca:2.5", "random:99999", "none:3", "", "umap:2", "pca:²"):
        with pytest.raises(SettingsError, match="reduce"):
            parse(word)
    with pytest.raises(SettingsError, match="Did you mean 'random'"):
        parse("randon:3")
