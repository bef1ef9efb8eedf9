"""A measure of the unlike: few of the usual are refused, the odd ones are, and what is stored measures the same."""

import json

import numpy as np
import pytest

from sightline.core.errors import BundleError
from sightline.core.outliers import AXES, REFUSED, Reference, refer


def rows(count: int, seed: int, width: int = 40, away: float = 0.0) -> np.ndarray:
    """Features along a few strong directions, moved by `away` along a weak one."""
    rng = np.random.default_rng(seed)
    spread = np.geomspace(3, 0.05, width)
    turn = np.linalg.qr(np.random.default_rng(99).normal(size=(width, width)))[0]
    moved = np.zeros(width)
    moved[-1] = away
    return np.asarray((rng.normal(size=(count, width)) * spread + moved) @ turn)


@pytest.mark.parametrize("width", [8, 40, 400])
def test_about_one_in_a_hundred_usual_pictures_is_refused(width: int) -> None:
    shares = []
    for seed in range(8):
        made = refer("features", rows(600, seed, width), rows(300, 100 + seed, width))
        assert made is not None
        assert made.refused <= REFUSED
        shares.append((made.outlier(rows(3000, 200 + seed, width)) > 1).mean())
    assert np.mean(shares) == pytest.approx(0.01, abs=0.006)


def test_a_move_that_plain_distance_cannot_see_is_seen() -> None:
    made = refer("features", rows(600, 1), rows(300, 2))
    assert made is not None
    odd, usual = rows(300, 3, away=3.0), rows(300, 4)
    plain = [np.linalg.norm(some - made.middle, axis=1) for some in (odd, usual)]
    assert (plain[0] > np.quantile(plain[1], 0.99)).mean() < 0.1
    assert (made.outlier(odd) > 1).mean() > 0.9


def test_fewer_pictures_than_features_and_more_axes_than_are_kept() -> None:
    for count, width in ((60, 300), (600, 300)):
        made = refer("features", rows(count, 5, width), rows(200, 6, width))
        assert made is not None
        assert made.axes is not None
        assert made.axes.shape[1] <= AXES
        assert (made.outlier(rows(200, 7, width) + 1.5) > 1).mean() > 0.9


def test_distance_equals_mahalanobis_where_all_axes_are_kept() -> None:
    learnt = rows(500, 8, 20)
    made = refer("features", learnt, rows(100, 9, 20))
    assert made is not None
    spread = np.cov(learnt.T)
    ball = 0.9 * spread + 0.1 * np.trace(spread) / 20 * np.eye(20)
    asked = rows(50, 10, 20)
    away = asked - learnt.mean(0)
    exact = np.sqrt(np.einsum("nd,de,ne->n", away, np.linalg.inv(ball), away))
    np.testing.assert_allclose(made.distance(asked), exact, rtol=1e-4)


def test_a_network_without_features_is_judged_by_its_energy() -> None:
    rng = np.random.default_rng(11)
    made = refer("logits", rng.normal(5, 1, (100, 4)), rng.normal(5, 1, (200, 4)))
    assert made is not None
    assert made.arrays() == {}
    assert (made.outlier(rng.normal(-5, 1, (50, 4))) > 1).all()


def test_zero_is_usual_and_the_stored_measure_is_the_same() -> None:
    made = refer("features", rows(300, 12), rows(300, 13))
    assert made is not None
    assert np.median(made.outlier(rows(300, 13))) == pytest.approx(0, abs=1e-6)
    again = Reference.from_json(json.loads(json.dumps(made.to_json())), made.arrays())
    np.testing.assert_array_equal(again.outlier(rows(20, 14)), made.outlier(rows(20, 14)))


def test_too_few_say_nothing_and_what_does_not_fit_is_refused() -> None:
    assert refer("features", rows(10, 15), rows(300, 16)) is None
    assert refer("features", rows(300, 15), rows(10, 16)) is None
    assert refer("features", np.ones((50, 3)), np.ones((50, 3))) is None, "nothing varies, so nothing is usual"
    assert refer("features", np.full((50, 3), np.nan), rows(50, 1, 3)) is None
    made = refer("features", rows(300, 15), rows(300, 16))
    assert made is not None
    with pytest.raises(BundleError, match="gives 7 features, its reference has 40"):
        made.distance(np.zeros((2, 7)))
    with pytest.raises(ValueError, match="does not fit itself"):
        Reference.from_json(made.to_json(), {"middle": np.zeros(3), "axes": np.zeros((4, 2))})
    with pytest.raises(ValueError, match="does not fit itself"):
        Reference.from_json({**made.to_json(), "limit": made.usual}, made.arrays())


def test_logarithms_of_probabilities_tell_nothing_of_outliers() -> None:
    """Their energy is 0 but for rounding; a limit made of that would refuse by chance."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (80, 2))
    logs = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
    assert refer("logits", logs[:40], logs[40:]) is None
    assert refer("logits", logits[:40], logits[40:]) is not None
