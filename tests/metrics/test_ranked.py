"""Areas and ranks equal scikit-learn's on 200 random cases, ties and absent names among them."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from sightline.core.annotations import Labels
from sightline.metrics.ranked import precision_recall_auc, roc_auc, sensitivity_at_specificity, top_5_accuracy
from tests.metrics._simulated import labels


def case(seed: int) -> tuple[list[Labels], list[Labels], np.ndarray, np.ndarray]:
    """Few or many samples of 2 to 5 names; every third case has scores of one digit, so that many are equal."""
    rng = np.random.default_rng(seed)
    truths, answers = labels(rng, int(rng.integers(4, 80)), tuple(rng.dirichlet(np.ones(int(rng.integers(2, 6))))))
    if seed % 3 == 0:
        answers = [Labels(answer.names, np.round(answer.scores, 1)) for answer in answers]
    names = answers[0].names
    true = np.array([names.index(truth.best) for truth in truths])
    return truths, answers, true, np.array([answer.scores for answer in answers])


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_scikit_learn(start: int) -> None:
    for seed in range(start, start + 50):
        truths, answers, true, scores = case(seed)
        present = [name for name in range(scores.shape[1]) if 0 < (true == name).sum() < len(true)]
        made = roc_auc(truths, answers).value, precision_recall_auc(truths, answers).value
        if not present:
            assert all(map(math.isnan, made))
            continue
        areas = [oracle.roc_auc_score(true == name, scores[:, name]) for name in present]
        curves = [oracle.average_precision_score(true == name, scores[:, name]) for name in present]
        assert made == pytest.approx((np.mean(areas), np.mean(curves)), abs=1e-9)
        asked = [1] if scores.shape[1] == 2 else present
        found = [_found(true == name, scores[:, name]) for name in asked]
        assert sensitivity_at_specificity(truths, answers).value == pytest.approx(np.mean(found), abs=1e-9)


def _found(true: np.ndarray, scores: np.ndarray, specificity: float = 0.9) -> float:
    false, found, _ = oracle.roc_curve(true, scores, drop_intermediate=False)
    return float(found[false <= 1 - specificity + 1e-9].max())


def test_two_names_with_equal_sums_are_the_textbook_areas() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = rng.random(50) < 0.4
        scores = np.round(rng.random(50) * 0.6 + 0.3 * true, 1 + seed % 3)
        truths = [Labels(("ill",)) if each else Labels(("fit",)) for each in true]
        answers = [Labels(("fit", "ill"), np.array([1 - score, score])) for score in scores]
        assert roc_auc(truths, answers).value == pytest.approx(oracle.roc_auc_score(true, scores), abs=1e-9)
        for level in (0.8, 0.95):
            made = sensitivity_at_specificity(truths, answers, specificity=level)
            assert made.value == pytest.approx(_found(true, scores, level), abs=1e-9)


def test_the_five_best_equal_scikit_learn() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        names = tuple(f"{number:02d}" for number in range(int(rng.integers(6, 12))))
        count = int(rng.integers(1, 40))
        true, scores = rng.integers(0, len(names), count), np.round(rng.random((count, len(names))), 1 + seed % 2)
        truths = [Labels((names[number],)) for number in true]
        answers = [Labels(names, row) for row in scores]
        wanted = oracle.top_k_accuracy_score(true, scores, k=5, labels=np.arange(len(names)))
        assert top_5_accuracy(truths, answers).value == pytest.approx(wanted, abs=1e-12)
    broken = Labels(names, np.full(len(names), np.nan))
    assert top_5_accuracy(truths[:1], [broken]).value == 0


def test_the_same_metric_is_known_as_the_same() -> None:
    """A paired comparison refuses tallies whose reductions differ."""
    first, second = (sensitivity_at_specificity(*case(1)[:2]) for _ in range(2))
    assert first.reduce == second.reduce
    assert first.reduce != sensitivity_at_specificity(*case(1)[:2], specificity=0.5).reduce
