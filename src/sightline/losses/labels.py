"""Losses over names."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, classes: Tensor, *, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Mean negative log probability of the true class, or of each by its share, from logits; `weights` of names."""
    return functional.cross_entropy(logits, classes, weights, label_smoothing=smoothing)


def focal(
    logits: Tensor, classes: Tensor, *, gamma: float = 2.0, smoothing: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """Lin et al. (2017) over several names: what is still answered wrongly counts more; at gamma 0 cross-entropy.

    True names may come as shares. `weights` count names more or less, and their mean is taken, as in `cross_entropy`.
    """
    count = logits.shape[1]
    shares = functional.one_hot(classes, count).to(logits.dtype) if classes.ndim == 1 else classes
    shares = shares * (1 - smoothing) + smoothing / count if smoothing else shares
    log_scores = logits.log_softmax(1)
    lost = -shares * (1 - log_scores.exp()).pow(gamma) * log_scores
    if weights is None:
        return lost.sum(1).mean()
    whole = weights[classes].sum() if classes.ndim == 1 else torch.tensor(float(len(logits)))
    return (lost * weights).sum() / whole


def distillation(logits: Tensor, taught: Tensor, *, temperature: float = 2.0) -> Tensor:
    """Hinton et al. (2015): how far the scores are from a teacher's, both softened, at the scale of the gradients."""
    mine, theirs = (logits / temperature).log_softmax(1), (taught / temperature).log_softmax(1)
    return functional.kl_div(mine, theirs, reduction="batchmean", log_target=True) * temperature**2
