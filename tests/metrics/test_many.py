"""Metrics of names side by side equal scikit-learn's on random cases."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from sightline.core.annotations import Labels
from sightline.metrics import many
from tests.metrics._simulated import NAMES

DECIDED = ("macro_f1", "micro_f1", "sample_f1", "exact_match", "hamming_loss")


def case(seed: int, *, ties: bool = False) -> tuple[list[Labels], list[Labels], np.ndarray, np.ndarray]:
    """Marks and scores of a few names, given in another order in every record."""
    rng = np.random.default_rng(seed)
    count, width = int(rng.integers(3, 50)), int(rng.integers(2, 6))
    marks = rng.random((count, width)) < rng.uniform(0.1, 0.6, width)
    scores = np.clip(rng.beta(2, 2, marks.shape) * 0.7 + 0.3 * marks, 0, 1)
    scores = np.round(scores, 1) if ties else scores
    truths, answers = [], []
    for mark, row in zip(marks, scores, strict=True):
        order = rng.permutation(width)
        truths.append(Labels(tuple(NAMES[place] for place in order if mark[place])))
        answers.append(Labels(tuple(NAMES[place] for place in order), row[order]))
    return truths, answers, marks.astype(int), scores


@pytest.mark.filterwarnings("ignore::UserWarning")  # of names that hold nowhere
@pytest.mark.parametrize("start", range(0, 120, 40))
def test_equal_to_scikit_learn(start: int) -> None:
    for seed in range(start, start + 40):
        truths, answers, marks, scores = case(seed, ties=seed % 2 == 0)
        least = {name: 0.3 + 0.1 * place for place, name in enumerate(NAMES)}
        measured = {"names": least} if seed % 3 else None
        limits = np.array([least[name] if measured else 0.5 for name in NAMES[: marks.shape[1]]])
        said = (scores >= limits).astype(int)
        held = marks.any(0)
        areas = (
            oracle.average_precision_score(marks[:, held], scores[:, held], average="macro") if held.any() else math.nan
        )
        assert many.mean_average_precision(truths, answers).value == pytest.approx(areas, abs=1e-9, nan_ok=True)
        told = marks.any(0) | said.any(0)
        given = {name: getattr(many, name)(truths, answers, thresholds=measured).value for name in DECIDED}
        if told.any():
            wanted = oracle.f1_score(marks[:, told], said[:, told], average="macro", zero_division=0)
            assert given["macro_f1"] == pytest.approx(wanted, abs=1e-9)
            micro = oracle.f1_score(marks, said, average="micro")
            assert given["micro_f1"] == pytest.approx(micro, abs=1e-9)
        samples = oracle.f1_score(marks, said, average="samples", zero_division=1)
        assert given["sample_f1"] == pytest.approx(samples, abs=1e-9)
        assert given["exact_match"] == pytest.approx(oracle.accuracy_score(marks, said), abs=1e-9)
        assert given["hamming_loss"] == pytest.approx(oracle.hamming_loss(marks, said), abs=1e-9)


def test_what_nobody_knows_counts_nowhere() -> None:
    """Of the first picture it is not known whether `a` holds: it is as if that decision had not been asked."""
    truths = [Labels(("a",), np.array([np.nan])), Labels(("a",)), Labels(("b",))]
    answers = [Labels(("a", "b"), np.array(row)) for row in ([0.9, 0.1], [0.8, 0.2], [0.1, 0.7])]
    assert many.mean_average_precision(truths, answers).value == 1.0
    assert many.macro_f1(truths, answers).value == 1.0
    assert many.hamming_loss(truths, answers).value == 0.0
    known = [Labels(()), *truths[1:]]
    assert many.mean_average_precision(known, answers).value == pytest.approx((0.5 + 1.0) / 2)
    assert many.hamming_loss(known, answers).value == pytest.approx(1 / 6)
    none = Labels(("a",), np.array([np.nan]))
    assert math.isnan(many.hamming_loss([none], [Labels(("a",), np.array([0.9]))]).value)


def test_where_nothing_holds_and_nothing_is_said_all_is_right() -> None:
    nothing, quiet = [Labels(())], [Labels(("a",), np.array([0.2]))]
    assert many.sample_f1(nothing, quiet).value == 1.0
    assert many.exact_match(nothing, quiet).value == 1.0
    assert math.isnan(many.macro_f1(nothing, quiet).value)
    assert math.isnan(many.mean_average_precision(nothing, quiet).value)


def test_a_rare_name_weighs_as_much_as_a_common_one_in_the_macro_mean_alone() -> None:
    truths = [*[Labels(("a",))] * 9, Labels(("b",))]
    answers = [Labels(("a", "b"), np.array([0.9, 0.1]))] * 10
    assert many.macro_f1(truths, answers).value == pytest.approx((2 * 9 / 19 + 0) / 2)
    assert many.micro_f1(truths, answers).value == pytest.approx(0.9)
