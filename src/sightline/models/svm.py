"""Support vector machine on features: `svm` (linear or curved, whichever folds prefer), `svm:linear`, `svm:rbf`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import UnknownNameError, nearest
from sightline.core.extras import need
from sightline.models._learners import Learner
from sightline.models._variants import Variant

GIVES = "logits"
TAKES = "features"
PARAMETERS = None  # what is learnt depends on the data
USE = "up to some thousand pictures; the best of the quick ones on most data"
VARIANTS = ("linear", "rbf")
PAIRED = 64  # names: with more, each stands against all others instead of each against each
MOST = 10_000  # rows: the time of a curved one grows with their square


def build(
    lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | str | None = None, kernel: str | None = None
) -> nn.Module:
    """`lengths` are those of the parts of a row; `keep` directions of them are looked at (0: all)."""
    return Svm(lengths, count, keep, kernel)


def variant(kernel: str) -> Variant:
    """`svm:linear` or `svm:rbf`."""
    if kernel not in VARIANTS:
        raise UnknownNameError(f"model 'svm' has no '{kernel}'.{nearest(kernel, VARIANTS)} Known: svm:linear, svm:rbf.")
    return Variant(partial(build, kernel=kernel), None, GIVES, TAKES)


class Svm(Learner):
    """A border between every two names, each border a vote that is as heavy as it is sure."""

    support: Tensor
    squares: Tensor
    weight: Tensor
    bias: Tensor
    first: Tensor
    second: Tensor
    choices = (
        *({"kernel": "linear", "cost": cost} for cost in (0.1, 1.0, 10.0)),
        *({"kernel": "rbf", "cost": cost} for cost in (1.0, 10.0)),
    )
    keeps = 256
    curve = 1.0  # of the bell: rows have a spread of one in all

    def __init__(self, lengths: Sequence[int], count: int, keep: int | str | None, kernel: str | None) -> None:
        super().__init__(lengths, count, keep)
        self.kernel = kernel
        self.empty(support=(0, 0), squares=(0,), weight=(0, 0), bias=(0,), first=(0, count), second=(0, count))

    def options(self, rows: int) -> list[Mapping[str, Any]]:
        """Those of the kernel that was asked for; no curved one between very many names."""
        kernel = self.kernel or ("linear" if self.count > PAIRED else None)
        return [choice for choice in self.choices if kernel in (None, choice["kernel"])]

    def fit(self, z: np.ndarray, classes: np.ndarray, **settings: Any) -> None:
        if settings["kernel"] == "rbf" and len(z) > MOST:
            warnings.warn(f"svm:rbf learns from {MOST:,} of {len(z):,} pictures; svm:linear takes all.", stacklevel=2)
            some = np.sort(np.random.default_rng(0).permutation(len(z))[:MOST])
            z, classes = z[some], classes[some]
        present = np.unique(classes)
        if self.count > PAIRED:
            self._against_all(z, classes, present, settings)
        else:
            self._in_pairs(z, classes, present, settings)

    def _in_pairs(self, z: np.ndarray, classes: np.ndarray, present: np.ndarray, settings: Mapping[str, Any]) -> None:
        cost, kernel = settings["cost"], settings["kernel"]
        model = need("sklearn.svm").SVC(C=cost, kernel=kernel, gamma=self.curve, class_weight="balanced")
        model.fit(z, classes)
        pairs = [(one, two) for one in range(len(present)) for two in range(one + 1, len(present))]
        weight = np.zeros((len(pairs), len(model.support_vectors_)))
        ends = np.cumsum([0, *model.n_support_])
        for row, (one, two) in enumerate(pairs):  # libsvm's layout: a row of coefficients for each other class
            weight[row, ends[one] : ends[one + 1]] = model.dual_coef_[two - 1, ends[one] : ends[one + 1]]
            weight[row, ends[two] : ends[two + 1]] = model.dual_coef_[one, ends[two] : ends[two + 1]]
        bias = model.intercept_
        if len(present) == 2:  # here the library turns the sign, so that above zero is the second
            weight, bias = -weight, -bias
        sides = np.eye(self.count)[present]
        first, second = sides[[one for one, _ in pairs]], sides[[two for _, two in pairs]]
        support = model.support_vectors_
        if kernel == "linear":
            weight, support = weight @ support, np.zeros((0, z.shape[1]))
        self._learnt(support, weight, bias, first, second)

    def _against_all(
        self, z: np.ndarray, classes: np.ndarray, present: np.ndarray, settings: Mapping[str, Any]
    ) -> None:
        model = need("sklearn.svm").LinearSVC(C=settings["cost"], class_weight="balanced", random_state=0)
        model.fit(z, classes)
        weight, bias = model.coef_, model.intercept_
        if len(present) == 2:
            weight, bias = np.vstack([-weight, weight]), np.concatenate([-bias, bias])
        first = np.eye(self.count)[present]
        self._learnt(np.zeros((0, z.shape[1])), weight, bias, first, np.zeros_like(first))

    def _learnt(self, support: Any, weight: Any, bias: Any, first: Any, second: Any) -> None:
        squares = np.square(support).sum(1)
        self.keep(support=support, squares=squares, weight=weight, bias=bias, first=first, second=second)

    def scores(self, z: Tensor) -> Tensor:
        """How far on the side of its first name each border sees the row."""
        if self.support.shape[0]:
            apart = (z * z).sum(1, keepdim=True) + self.squares - 2 * z @ self.support.T
            z = torch.exp(-self.curve * apart.clamp(min=0))
        return functional.linear(z, self.weight, self.bias)

    def link(self, scores: Tensor, sharp: Tensor) -> Tensor:
        """Each border's chance for either name, multiplied; a name that was never seen gets none."""
        far = scores * sharp  # softplus: in a graph the logarithm of a sigmoid is minus infinity far out
        sides = -functional.softplus(-far) @ self.first - functional.softplus(far) @ self.second
        seen = (self.first.sum(0) + self.second.sum(0)).clamp(max=1)
        return sides - 30 * (1 - seen)

    @property
    def width(self) -> int:
        return int(self.first.shape[0])
