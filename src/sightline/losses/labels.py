"""Losses over names."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, classes: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Mean negative log probability of the true class, or of each by its share, from logits."""
    return functional.cross_entropy(logits, classes, label_smoothing=smoothing)
