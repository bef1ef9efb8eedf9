"""Scores that hold: what was spoilt by a known temperature and shift is found again, and nothing is made worse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.mending import SCALES, Mending, fit, line, mend

NAMES = 4


def drawn(count: int, seed: int, *, scale: float = 1.0, shift: tuple[float, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Scores that would be exact, had they been multiplied by `scale` and shifted (as logs), and the true numbers."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 1.6, (count, NAMES))
    honest = shares(logs)
    true = (rng.random(count)[:, None] > honest.cumsum(1)).sum(1).clip(0, NAMES - 1)
    return shares((logs - np.array(shift or np.zeros(NAMES))) / scale), true


def shares(logs: np.ndarray) -> np.ndarray:
    powers = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def surprise(scores: np.ndarray, true: np.ndarray) -> float:
    return float(-np.log(scores[np.arange(len(true)), true].clip(1e-12)).mean())


@pytest.mark.parametrize("scale", [0.4, 0.8, 1.0, 2.5])
def test_the_temperature_that_spoilt_scores_is_found(scale: float) -> None:
    scores, true = drawn(4000, 1, scale=scale)
    mended = mend(scores, true)
    assert mended.scale[0] == pytest.approx(scale, rel=0.08)
    assert mended.shift == ()


def test_shifts_are_found_where_they_foretell_better_and_only_there() -> None:
    shift = (0.9, -0.6, 0.0, -0.3)
    scores, true = drawn(4000, 2, scale=0.7, shift=shift)
    mended = mend(scores, true)
    assert np.array(mended.shift) == pytest.approx(shift, abs=0.15)
    fresh, real = drawn(4000, 3, scale=0.7, shift=shift)
    assert surprise(mended(fresh), real) < surprise(Mending(mended.scale)(fresh), real) < surprise(fresh, real)
    few, some = drawn(70, 2, scale=0.7, shift=shift)
    assert mend(few, some).shift == (), "a dozen pictures of a name are too few for a number of its own"


def test_newton_ends_where_no_small_step_is_better() -> None:
    scores, true = drawn(500, 4, scale=0.3, shift=(0.5, 0, 0, -0.5))
    logs = np.log(scores)
    scale, shift = fit(logs, true, shifted=True)
    weight = 20 / 520
    wanted = (1 - weight) * np.eye(NAMES)[true] + weight * scores

    def lost(a: float, b: np.ndarray) -> float:
        return float(-(wanted * np.log(shares(logs * a + b))).sum(1).mean())

    best = lost(scale, shift)
    for step in (1e-2, -1e-2):
        assert lost(scale + step, shift) > best
        for name in range(NAMES):
            assert lost(scale, shift + step * np.eye(NAMES)[name]) > best


@given(st.integers(60, 300), st.floats(0.1, 5), st.integers(0, 99))
def test_it_never_makes_what_it_learnt_from_worse(count: int, scale: float, seed: int) -> None:
    scores, true = drawn(count, seed, scale=scale)
    mended = mend(scores, true)
    assert surprise(mended(scores), true) <= surprise(scores, true) + 1e-9
    assert SCALES[0] <= mended.scale[0] <= SCALES[1]
    assert (mended(scores).argmax(1) == scores.argmax(1)).all() or mended.shift


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_stays_within_reason(right: bool) -> None:
    """Without a doubt built in, the best temperature of faultless answers is zero."""
    scores, _ = drawn(100, 5)
    best = scores.argmax(1)
    scale = mend(scores, best if right else (best + 1) % NAMES).scale[0]
    assert 0.01 <= scale <= 8


def test_scores_of_zero_and_one_do_no_harm() -> None:
    scores = np.eye(NAMES)[np.arange(200) % NAMES].astype(np.float32)
    true = np.arange(200) % NAMES
    true[:40] = (true[:40] + 1) % NAMES
    made = mend(scores, true)
    mended = made(scores)
    assert np.isfinite(mended).all()
    assert mended.dtype == np.float32
    assert mended.max(1).mean() == pytest.approx(0.8, abs=0.05)


def test_one_score_by_itself_gets_a_line() -> None:
    rng = np.random.default_rng(6)
    odds = rng.normal(0, 2, 5000)
    true = rng.random(5000) < 1 / (1 + np.exp(-(0.6 * odds - 1)))
    scale, shift = line(1 / (1 + np.exp(-odds)), true, shifted=True)
    assert (scale, shift) == pytest.approx((0.6, -1.0), abs=0.1)
    mended = Mending((scale,), (shift,), True)(np.array([0.0, 0.2, 0.5, 1.0], np.float32))
    assert (np.diff(mended) > 0).all()
    assert np.isfinite(mended).all()


def test_doing_nothing_changes_no_bit() -> None:
    scores, _ = drawn(20, 7)
    assert Mending()(scores) is scores


def test_rare_names_do_not_pay_for_a_better_foretelling() -> None:
    """A network taught with equal shares; a shift to the real ones foretells better, and finds the rare name less."""
    rng = np.random.default_rng(8)
    true = (rng.random(2000) < 0.12).astype(np.int64)
    odds = 2 * (rng.normal(size=2000) + np.where(true, 1, -1))
    scores = shares(np.stack([np.zeros(2000), odds], 1))
    scale, shift = fit(np.log(scores), true, shifted=True)
    assert surprise(Mending((scale,), tuple(shift))(scores), true) < surprise(scores, true) - 0.02
    assert mend(scores, true).shift == ()
