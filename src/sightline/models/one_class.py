"""What is usual, learnt from usual pictures alone: `one_class`, which is `one_class:gauss`, or `one_class:svm`.

Usual pictures differ from each other in few directions. What is unusual shows in the others, in which they hardly
differ, so none of them is left out.
"""

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
VARIANTS = ("gauss", "svm")
ALARMS = 0.05  # of usual pictures may be called unusual
FEWEST, MANY, MOST = 6, 600, 4000  # usual rows that are needed, that are many, and that are looked at
DIRECTIONS = 256  # that have a spread of their own in `gauss`; all others share one


def build(
    lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | str | None = None, kind: str = "gauss"
) -> nn.Module:
    """Logits of usual and unusual; `svm` looks at `keep` directions, `gauss` gives so many a spread each (0: all)."""
    return OneClass(lengths, keep, kind)


def variant(kind: str) -> Variant:
    """`one_class:gauss` (the distance of Mahalanobis, shrunk by Ledoit and Wolf 2004) or `one_class:svm` (2001)."""
    if kind not in VARIANTS:
        listed = ", ".join(f"one_class:{known}" for known in VARIANTS)
        raise UnknownNameError(f"model 'one_class' has no '{kind}'.{nearest(kind, VARIANTS)} Known: {listed}.")
    return Variant(partial(build, kind=kind), None, GIVES, TAKES)


class OneClass(Grown):
    """How unusual a row is, on a scale where held out usual rows lie below zero but for the allowed alarms."""

    support: Tensor
    squares: Tensor
    weight: Tensor
    rest: Tensor
    level: Tensor
    curve: Tensor
    sharp: Tensor

    def __init__(self, lengths: Sequence[int], keep: int | str | None, kind: str) -> None:
        super().__init__()
        self.kind = kind
        shorter = keep if isinstance(keep, str) else None  # random directions come before either kind
        self.directions = (DIRECTIONS if keep is None or isinstance(keep, str) else keep) or sum(lengths)
        self.front = Scale(lengths, shorter or (0 if kind == "gauss" else keep or 0))
        self.empty(support=(0, sum(lengths)), squares=(0,), weight=(0,), rest=(1,), level=(1,), sharp=(1,))
        self.register_buffer("curve", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        found = (self.strangeness(x) - self.level) * self.sharp
        return torch.stack([-found, found], 1) / 2

    def strangeness(self, x: Tensor) -> Tensor:
        """The greater the less usual."""
        z: Tensor = self.front(x)
        if self.kind == "gauss":  # along the directions, and all that lies across them
            along = z @ self.support.T
            across = ((z * z).sum(1) - (along * along).sum(1)).clamp(min=0)
            return ((along * along) @ self.weight + across * self.rest.sum()).sqrt()
        apart = (z * z).sum(1, keepdim=True) + self.squares - 2 * z @ self.support.T
        return -(torch.exp(-self.curve * apart.clamp(min=0)) @ self.weight)

    @torch.no_grad()
    def solve(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Pairs of rows and classes; only those of class 0, the usual one, are learnt."""
        rows, classes = gathered(batches)
        rows = rows[classes == 0]
        rows = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:MOST])]
        if len(rows) < FEWEST:
            raise InputError("empty", f"one_class needs {FEWEST} usual pictures or more; found {len(rows)}.")
        folds = FOLDS if len(rows) > MANY else min(10, len(rows))  # of few rows nearly all are needed to know the rest
        fold = np.random.default_rng(0).permutation(len(rows)) % folds
        held, shrunk = [], self._fit(rows)
        for number in range(folds):  # the front too, or held out rows would look more usual than fresh ones
            self._fit(rows[fold != number][:LOOKED], shrunk)
            held.append(self.strangeness(torch.from_numpy(rows[fold == number])).numpy())
        strange = np.concatenate(held)
        level = np.quantile(strange, 1 - ALARMS)
        width = max(float(level - np.median(strange)), 1e-6)
        self._fit(rows, shrunk)
        self.keep(level=np.array([level]), sharp=np.array([np.log(19) / width]))  # a middling one is 5 % unusual

    def _fit(self, rows: np.ndarray, shrunk: float | None = None) -> float:
        """Learn these rows; what is told is given to further fits, so that all of them measure by one rule."""
        self.front.fit(rows)
        z = self.front(torch.from_numpy(rows)).numpy().astype(np.float64)
        if self.kind == "gauss":
            return self._spread(z, shrunk)
        curve = 1 / max(float(z.var(0).sum()), 1e-12)
        model: Any = need("sklearn.svm").OneClassSVM(gamma=curve, nu=0.1).fit(z)
        support, weight = model.support_vectors_, model.dual_coef_[0] / model.dual_coef_.sum()
        self.keep(support=support, squares=np.square(support).sum(1), weight=weight, curve=np.array([curve]))
        return 0.0

    def _spread(self, z: np.ndarray, shrunk: float | None) -> float:
        """Directions and what is usual along each, pulled towards what is usual in all: of few rows little is known."""
        count, width = z.shape
        if shrunk is None:
            shrunk = max(1e-3, float(need("sklearn.covariance").ledoit_wolf_shrinkage(z, assume_centered=True)))
        floor = shrunk * max(float(np.square(z).sum()) / (count * width), 1e-12)
        kept = max(1, min(self.directions, count - 1, width))
        found: Any = need("sklearn.decomposition").PCA(kept, svd_solver="randomized", random_state=0).fit(z)
        spreads = (1 - shrunk) * found.explained_variance_ * (count - 1) / count + floor
        self.keep(support=found.components_, weight=1 / spreads / width, rest=np.array([1 / floor / width]))
        return shrunk
