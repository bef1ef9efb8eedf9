"""Nearest neighbours on features: keeps what it saw and looks for the most alike, as `knn` or `knn:NUMBER`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.core.errors import UnknownNameError
from sightline.models._learners import FLOOR, Learner
from sightline.models._variants import Variant

GIVES = "logits"
TAKES = "features"
PARAMETERS = None  # what is learnt depends on the data
USE = "many names with few pictures each; shows the pictures that an answer rests on"
MOST = 50_000  # rows it keeps
LEAST = 1e-12  # of a squared distance: a copy counts for all its neighbours


def build(
    lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | str | None = None, neighbours: int | None = None
) -> nn.Module:
    """`lengths` are those of the parts of a row; `keep` directions of them are looked at (0: all)."""
    return Neighbours(lengths, count, keep, neighbours)


def variant(number: str) -> Variant:
    """`knn:5` asks five neighbours; without a number it is chosen on folds."""
    if not number.isdecimal() or not 0 < int(number) < 1000:
        raise UnknownNameError(f"model 'knn' has no '{number}': write how many neighbours, for example knn:5.")
    return Variant(partial(build, neighbours=int(number)), None, GIVES, TAKES)


class Neighbours(Learner):
    """Votes of the nearest rows, the nearer the heavier."""

    rows: Tensor
    squares: Tensor
    votes: Tensor
    asked: Tensor
    choices = tuple({"neighbours": number} for number in (1, 3, 5, 9, 15))
    keeps = 128

    def __init__(self, lengths: Sequence[int], count: int, keep: int | str | None, neighbours: int | None) -> None:
        super().__init__(lengths, count, keep)
        self.neighbours = neighbours
        self.empty(rows=(0, 0), squares=(0,), votes=(0, count), asked=(neighbours or 1,))

    def options(self, rows: int) -> list[Mapping[str, Any]]:
        """No more neighbours than rows."""
        if self.neighbours:
            return [{"neighbours": self.neighbours}]
        return [choice for choice in self.choices if choice["neighbours"] <= max(1, rows)]

    def fit(self, z: np.ndarray, classes: np.ndarray, **settings: Any) -> None:
        if len(z) > MOST:
            some = np.sort(np.random.default_rng(0).permutation(len(z))[:MOST])
            z, classes = z[some], classes[some]
        near = min(settings["neighbours"], len(z))
        self.keep(rows=z, squares=np.square(z).sum(1), votes=np.eye(self.count)[classes], asked=np.zeros(near))

    def scores(self, z: Tensor) -> Tensor:
        near = self.asked.shape[0]  # a number that a graph can rely on
        apart = (z * z).sum(1, keepdim=True) + self.squares - 2 * z @ self.rows.T
        apart, place = torch.topk(apart, near, dim=1, largest=False)
        weights = apart.clamp(min=LEAST).rsqrt()
        votes = (self.votes[place] * (weights / weights.sum(1, keepdim=True))[..., None]).sum(1)
        return (votes + FLOOR).log()
