"""The mean absolute error equals scikit-learn's on 200 random cases."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error as oracle

from sightline.core.annotations import Value
from sightline.core.errors import InputError
from sightline.metrics.numbers import mean_absolute_error
from tests.metrics._simulated import NAMES


def test_equal_to_scikit_learn() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true, given = rng.normal(size=(2, int(rng.integers(1, 20)), int(rng.integers(1, 6))))
        names = NAMES[: true.shape[1]]
        order = rng.permutation(len(names))
        truths = [Value(names, row) for row in true]
        answers = [Value(tuple(names[i] for i in order), row[order]) for row in given]
        assert mean_absolute_error(truths, answers).value == pytest.approx(oracle(true, given), abs=1e-12)


def test_a_missing_number_is_refused_and_bytes_do_not_wrap() -> None:
    with pytest.raises(InputError, match="give each one"):
        mean_absolute_error([Value(("a", "b"), np.zeros(2))], [Value(("a",), np.zeros(1))])
    small, large = (Value(("a",), np.array([n], np.uint8)) for n in (3, 5))
    assert mean_absolute_error([small], [large]).value == 2.0
