"""Counts of right and wrong names equal scikit-learn's on 200 random cases."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from sightline.core.annotations import Labels
from sightline.metrics.counted import f1_micro, f1_weighted, matthews, precision, recall
from tests.metrics.test_labels import case


@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label was found")  # scikit-learn's
@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_scikit_learn(start: int) -> None:
    for seed in range(start, start + 50):
        truths, answers, true, given, _, _ = case(seed)
        wanted = {
            precision: oracle.precision_score(true, given, average="macro", zero_division=0),
            recall: oracle.recall_score(true, given, average="macro", zero_division=0),
            f1_weighted: oracle.f1_score(true, given, average="weighted", zero_division=0),
            f1_micro: oracle.f1_score(true, given, average="micro", zero_division=0),
        }
        for metric, number in wanted.items():
            assert metric(truths, answers).value == pytest.approx(number, abs=1e-12), metric.__name__
        if len(set(true)) > 1 or len(set(given)) > 1:  # of one name alone scikit-learn says 0, we say 1: all is right
            assert matthews(truths, answers).value == pytest.approx(oracle.matthews_corrcoef(true, given), abs=1e-9)


def test_answers_without_a_name_are_wrong_and_not_counted_as_given() -> None:
    truths = [Labels(("a",)), Labels(("b",)), Labels(("a",))]
    answers = [Labels(("a",)), Labels(("b",)), Labels(("a", "b"), np.array([np.nan, np.nan]))]
    assert precision(truths, answers).value == 1.0
    assert recall(truths, answers).value == 0.75
    assert f1_micro(truths, answers).value == pytest.approx(4 / 5)
    wanted = oracle.matthews_corrcoef(["a", "b", "a"], ["a", "b", "none"])
    assert matthews(truths, answers).value == pytest.approx(wanted, abs=1e-9)
