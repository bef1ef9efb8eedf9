"""Label metrics equal scikit-learn's on 200 random cases."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.core.tally import Tally
from sightline.metrics.labels import accuracy, balanced_accuracy, f1, log_loss
from tests.metrics._simulated import NAMES, labels


def case(seed: int) -> tuple[list[Labels], list[Labels], list[str], list[str], np.ndarray, list[str]]:
    """A few or many samples and classes, some absent from the truth; names in another order in every record."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 60))
    truths, answers = labels(rng, count, tuple(rng.dirichlet(np.ones(int(rng.integers(2, 6))))))
    names = list(answers[0].names)
    chances = np.array([answer.scores for answer in answers])
    turned = []
    for answer in answers:
        order = rng.permutation(len(names))
        turned.append(Labels(tuple(names[i] for i in order), answer.scores[order]))
    given = [names[i] for i in chances.argmax(1)]
    return truths, turned, [truth.best for truth in truths], given, chances, names


@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label was found")  # scikit-learn's
@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_scikit_learn(start: int) -> None:
    for seed in range(start, start + 50):
        truths, answers, true, given, chances, names = case(seed)
        assert accuracy(truths, answers).value == pytest.approx(oracle.accuracy_score(true, given), abs=1e-12)
        recalls = oracle.recall_score(true, given, labels=sorted(set(true)), average="macro", zero_division=0)
        assert balanced_accuracy(truths, answers).value == pytest.approx(recalls, abs=1e-12)
        assert balanced_accuracy(truths, answers).value == pytest.approx(
            oracle.balanced_accuracy_score(true, given), abs=1e-12
        )
        macro = oracle.f1_score(true, given, average="macro")
        assert f1(truths, answers).value == pytest.approx(macro, abs=1e-12)
        loss = oracle.log_loss(true, chances, labels=names)
        assert log_loss(truths, answers).value == pytest.approx(loss, abs=1e-9)


def test_a_slice_is_scored_as_if_it_were_alone() -> None:
    truths, answers, true, given, _, _ = case(7)
    kept = np.arange(len(truths)) % 2 == 0
    expected = oracle.f1_score(np.array(true)[kept], np.array(given)[kept], average="macro")
    assert f1(truths, answers).take(kept).value == pytest.approx(expected, abs=1e-12)


def test_a_certain_wrong_answer_costs_much_but_not_everything() -> None:
    truth = [Labels(("a",))]
    expected = oracle.log_loss(["a"], np.array([[0.0, 1.0]]), labels=["a", "b"])
    assert log_loss(truth, [Labels(("a", "b"), np.array([0.0, 1.0]))]).value == pytest.approx(expected)
    assert log_loss(truth, [Labels(("b",), np.array([1.0]))]).value == pytest.approx(expected)  # not even a name for it


def test_a_rare_class_weighs_as_much_as_a_common_one() -> None:
    truths = [Labels(("a",))] * 9 + [Labels(("b",))]
    answers = [Labels(("a", "b"), np.array([0.9, 0.1]))] * 10
    assert accuracy(truths, answers).value == 0.9
    assert balanced_accuracy(truths, answers).value == 0.5


def test_an_answer_without_a_name_is_wrong() -> None:
    truths = [Labels(("a",)), Labels(("b",))]
    answers = [Labels(("a",)), Labels(())]
    assert [metric(truths, answers).value for metric in (accuracy, balanced_accuracy)] == [0.5, 0.5]
    assert f1(truths, answers).value == 0.5


@pytest.mark.parametrize("names", [(), ("a", "b")])
@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy, f1, log_loss])
def test_none_or_many_true_names_are_refused(metric, names: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=f"sample 1 has {len(names)} true names"):
        metric([Labels(("a",)), Labels(names)], [Labels(NAMES)] * 2)


def test_better_points_the_right_way() -> None:
    higher, lower = Tally(np.ones((1, 1)), np.mean, "higher"), Tally(np.ones((1, 1)), np.mean, "lower")
    assert higher.beats(2.0, 1.0)
    assert not higher.beats(1.0, 1.0)
    assert lower.beats(1.0, 2.0)
    assert lower.beats(math.inf, math.nan)
    with pytest.raises(ValueError, match="'higher' or 'lower'"):
        Tally(np.ones((1, 1)), np.mean, "bigger")
    with pytest.raises(ValueError, match="one group a row"):
        Tally(np.ones((2, 1)), np.mean, "lower", np.zeros(3))
