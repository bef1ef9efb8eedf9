"""What is usual, learnt from usual pictures alone: `one_class` (a support vector machine) or `one_class:gauss`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.core.errors import InputError, UnknownNameError, nearest
from sightline.core.extras import need
from sightline.models._learners import FOLDS, LOOKED, Grown, Scale, gathered
from sightline.models._variants import Variant

GIVES = "logits"
TAKES = "features"
PARAMETERS = None  # what is learnt depends on the data
USE = "when only good pictures are at hand"
VARIANTS = ("svm", "gauss")
ALARMS = 0.05  # of usual pictures may be called unusual
FEWEST = 6


def build(lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | None = None, kind: str = "svm") -> nn.Module:
    """Logits of usual and unusual; `keep` directions of a row are looked at (0: all)."""
    return OneClass(lengths, keep, kind)


def variant(kind: str) -> Variant:
    """`one_class:svm` (Schölkopf 2001) or `one_class:gauss` (the distance of Mahalanobis)."""
    if kind not in VARIANTS:
        listed = ", ".join(f"one_class:{known}" for known in VARIANTS)
        raise UnknownNameError(f"model 'one_class' has no '{kind}'.{nearest(kind, VARIANTS)} Known: {listed}.")
    return Variant(partial(build, kind=kind), None, GIVES, TAKES)


class OneClass(Grown):
    """How unusual a row is, on a scale where held out usual rows lie below zero but for the allowed alarms."""

    support: Tensor
    squares: Tensor
    weight: Tensor
    level: Tensor
    curve: Tensor
    sharp: Tensor

    def __init__(self, lengths: Sequence[int], keep: int | None, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.front = Scale(lengths, 64 if keep is None else keep)
        width = sum(lengths)
        self.empty(support=(0, width), squares=(0,), weight=(width if kind == "gauss" else 0,), level=(1,), sharp=(1,))
        self.register_buffer("curve", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        found = (self.strangeness(x) - self.level) * self.sharp
        return torch.stack([-found, found], 1) / 2

    def strangeness(self, x: Tensor) -> Tensor:
        """The greater the less usual."""
        z: Tensor = self.front(x)
        if self.kind == "gauss":
            return ((z - self.support[:1].sum(0)) ** 2 * self.weight).mean(1).sqrt()
        apart = (z * z).sum(1, keepdim=True) + self.squares - 2 * z @ self.support.T
        return -(torch.exp(-self.curve * apart.clamp(min=0)) @ self.weight)

    @torch.no_grad()
    def solve(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Pairs of rows and classes; only those of class 0, the usual one, are learnt."""
        rows, classes = gathered(batches)
        rows = rows[classes == 0]
        if len(rows) < FEWEST:
            raise InputError("empty", f"one_class needs {FEWEST} usual pictures or more; found {len(rows)}.")
        fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
        held = []
        for number in range(FOLDS):  # the front too, or held out rows would look more usual than fresh ones
            self._fit(rows[fold != number][:LOOKED])
            held.append(self.strangeness(torch.from_numpy(rows[fold == number])).numpy())
        strange = np.concatenate(held)
        level = np.quantile(strange, 1 - ALARMS)
        width = max(float(level - np.median(strange)), 1e-6)
        self._fit(rows)
        self.keep(level=np.array([level]), sharp=np.array([np.log(19) / width]))  # a middling one is 5 % unusual

    def _fit(self, rows: np.ndarray) -> None:
        self.front.fit(rows)
        z = self.front(torch.from_numpy(rows)).numpy().astype(np.float64)
        if self.kind == "gauss":
            width = z.var(0) + 0.05 * z.var(0).mean() + 1e-12
            self.keep(support=z.mean(0)[None], weight=1 / width)
            return
        curve = 1 / max(float(z.var(0).sum()), 1e-12)
        model: Any = need("sklearn.svm").OneClassSVM(gamma=curve, nu=0.1).fit(z)
        support, weight = model.support_vectors_, model.dual_coef_[0] / model.dual_coef_.sum()
        self.keep(support=support, squares=np.square(support).sum(1), weight=weight, curve=np.array([curve]))
