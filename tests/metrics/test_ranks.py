"""Metrics of names in order equal scikit-learn's, and sums written out."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from sightline.core.annotations import Labels
from sightline.core.errors import InputError
from sightline.metrics.ranks import mean_rank_error, quadratic_kappa

ORDER = ("low", "medium", "high", "extreme")  # not alphabetical


def test_equal_to_scikit_learn() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        true, scores = rng.integers(0, 4, 30), rng.dirichlet(np.ones(4), 30)
        scores[np.arange(30), true] += 0.4
        truths, answers = [Labels((ORDER[rank],)) for rank in true], [Labels(ORDER, row) for row in scores]
        given = scores.argmax(1)
        kappa = oracle.cohen_kappa_score(true, given, weights="quadratic", labels=range(4))
        assert quadratic_kappa(truths, answers).value == pytest.approx(kappa, abs=1e-9)
        assert mean_rank_error(truths, answers).value == pytest.approx(np.abs(true - given).mean())


def test_one_answer_to_everything_agrees_by_chance_alone() -> None:
    truths = [Labels((ORDER[row % 3],)) for row in range(9)]
    assert quadratic_kappa(truths, [Labels(ORDER[:1])] * 9).value == 0
    assert quadratic_kappa(truths, truths).value == 1


def test_the_order_is_that_of_the_answer() -> None:
    truth = [Labels(("extreme",))]
    for order, steps in ((ORDER, 3), (tuple(sorted(ORDER)), 1)):
        answer = [Labels(order, np.array([float(name == "low" if steps == 3 else name == "high") for name in order]))]
        assert mean_rank_error(truth, answer).value == steps


def test_several_names_have_no_rank() -> None:
    with pytest.raises(InputError, match="sample 0 has 2 true names; a rank is of exactly one"):
        mean_rank_error([Labels(("low", "high"))], [Labels(ORDER, np.ones(4))])
