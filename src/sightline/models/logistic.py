"""Logistic regression on features: one product, the first thing to try when pictures are few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.extras import need
from sightline.models._learners import Learner, spread

GIVES = "logits"
TAKES = "features"
PARAMETERS = None  # what is learnt depends on the data
USE = "few pictures, answers in microseconds"


def build(lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | str | None = None) -> nn.Module:
    """`lengths` are those of the parts of a row; `keep` directions of them are looked at (0: all)."""
    return Logistic(lengths, count, keep)


class Logistic(Learner):
    """Names in one softmax, the rare ones weighing as much as the frequent ones."""

    weight: Tensor
    bias: Tensor
    choices = tuple({"penalty": 10.0**power} for power in (1, 0, -1, -2))
    keeps = 256

    def __init__(self, lengths: Sequence[int], count: int, keep: int | str | None) -> None:
        super().__init__(lengths, count, keep)
        self.empty(weight=(count, 0), bias=(count,))

    def fit(self, z: np.ndarray, classes: np.ndarray, **settings: Any) -> None:
        model = need("sklearn.linear_model").LogisticRegression(
            C=1 / settings["penalty"], class_weight="balanced", max_iter=300
        )
        model.fit(z, classes)
        weight, bias = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # one row for the second; the first is its opposite
            weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        self.keep(
            weight=spread(weight, model.classes_, self.count, 0.0), bias=spread(bias, model.classes_, self.count, -30.0)
        )

    def scores(self, z: Tensor) -> Tensor:
        return functional.linear(z, self.weight, self.bias)
