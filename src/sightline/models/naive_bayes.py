"""Gaussian naive Bayes on features: means and spreads only, the quickest of all to learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._learners import Learner, spread

GIVES = "logits"
TAKES = "features"
PARAMETERS = None  # what is learnt depends on the data
USE = "a floor to beat, from a handful of pictures"


def build(lengths: Sequence[int] = (64,), count: int = 2, *, keep: int | str | None = None) -> nn.Module:
    """`lengths` are those of the parts of a row; `keep` directions of them are looked at (0: all)."""
    return NaiveBayes(lengths, count, keep)


class NaiveBayes(Learner):
    """A bell for each name and direction; every name is as likely as the others before the picture is seen."""

    weight: Tensor
    square: Tensor
    bias: Tensor
    choices = tuple({"smooth": share} for share in (1e-3, 1e-2, 1e-1))
    keeps = 64

    def __init__(self, lengths: Sequence[int], count: int, keep: int | str | None) -> None:
        super().__init__(lengths, count, keep)
        self.empty(weight=(count, 0), square=(count, 0), bias=(count,))

    def fit(self, z: np.ndarray, classes: np.ndarray, **settings: Any) -> None:
        present = np.unique(classes)
        z = z.astype(np.float64)
        mean = np.stack([z[classes == name].mean(0) for name in present])
        width = np.stack([z[classes == name].var(0) for name in present]) + settings["smooth"] * z.var(0).max()
        bias = -0.5 * (np.log(2 * np.pi * width) + mean**2 / width).sum(1)
        self.keep(
            weight=spread(mean / width, present, self.count, 0.0),
            square=spread(-0.5 / width, present, self.count, 0.0),
            bias=spread(bias, present, self.count, float(bias.min()) - 1e4),
        )

    def scores(self, z: Tensor) -> Tensor:
        return functional.linear(z, self.weight, self.bias) + functional.linear(z * z, self.square)
