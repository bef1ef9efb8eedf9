"""Calibration errors against their definitions, written out, and the Brier score against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from sightline.core.annotations import Labels
from sightline.evaluating.intervals import interval
from sightline.metrics.honest import BINS, brier, ece, ece_adaptive
from tests.metrics.test_ranked import case


def _slow(best: np.ndarray, right: np.ndarray, edges: list[tuple[float, float]]) -> float:
    """Guo et al. 2017, equation 3, as it stands."""
    total = 0.0
    for low, high in edges:
        inside = (best > low) & (best <= high)
        if inside.any():
            total += inside.sum() / len(best) * abs(right[inside].mean() - best[inside].mean())
    return total


@pytest.mark.parametrize("start", range(0, 200, 100))
def test_equal_to_the_definitions(start: int) -> None:
    edges = [(number / BINS, (number + 1) / BINS) for number in range(BINS)]
    for seed in range(start, start + 100):
        truths, answers, true, scores = case(seed)
        best, right = scores.max(1), scores.argmax(1) == true
        assert ece(truths, answers).value == pytest.approx(_slow(best, right, edges), abs=1e-9)
        order = np.lexsort((right, best))
        parts = [part for part in np.array_split(order, BINS) if len(part)]
        if len(best) % BINS == 0:
            gaps = [len(part) * abs(best[part].mean() - right[part].mean()) for part in parts]
            assert ece_adaptive(truths, answers).value == pytest.approx(sum(gaps) / len(best), abs=1e-9)
        if np.abs(scores.sum(1) - 1).max() < 1e-6:
            labels = list(range(scores.shape[1]))
            wanted = ((scores - np.eye(len(labels))[true]) ** 2).sum(1).mean()
            assert brier(truths, answers).value == pytest.approx(wanted, abs=1e-9)
            if len(labels) == 2 and len(set(true)) == 2:
                ours = brier(truths, answers).value
                assert ours == pytest.approx(2 * brier_score_loss(true, scores[:, 1]), abs=1e-9)


def test_fifteen_equal_parts_of_fifteen_times_as_many() -> None:
    rng = np.random.default_rng(1)
    best, right = rng.random(150) * 0.5 + 0.5, rng.random(150) < 0.7
    truths = [Labels(("a",)) if each else Labels(("b",)) for each in right]
    answers = [Labels(("a", "b"), np.array([score, 1 - score])) for score in best]
    parts = np.array_split(np.argsort(best), BINS)
    gaps = [10 * abs(best[part].mean() - right[part].mean()) for part in parts]
    assert ece_adaptive(truths, answers).value == pytest.approx(sum(gaps) / 150, abs=1e-9)


def test_a_score_on_the_edge_falls_in_the_bin_below() -> None:
    truths = [Labels(("a",)), Labels(("b",))]
    answers = [Labels(("a", "b", "c"), np.array([score, 0.05, 0.05])) for score in (0.6, 0.6 + 1e-6)]
    assert ece(truths, answers).value == pytest.approx((0.4 + 0.6) / 2, abs=1e-6)


def test_intervals_of_a_sum_of_gaps_do_not_run_from_nought_to_one() -> None:
    truths, answers = _exact(400)
    shown = interval(ece(truths, answers))
    assert shown.method == "bootstrap, root"
    assert 0 <= shown.low <= shown.value <= shown.high < 0.12


def _exact(count: int) -> tuple[list[Labels], list[Labels]]:
    rng = np.random.default_rng(2)
    best = rng.random(count) * 0.5 + 0.5
    truths = [Labels(("a",)) if rng.random() < score else Labels(("b",)) for score in best]
    return truths, [Labels(("a", "b"), np.array([score, 1 - score])) for score in best]
