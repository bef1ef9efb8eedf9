"""Losses over names that do not exclude one another, names in order, and names in names."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def weighted_binary_cross_entropy(logits: Tensor, marks: Tensor, weights: Tensor) -> Tensor:
    """Mean over all marks that are known (not NaN); a mark that holds counts as often as the weight of its name."""
    known = ~torch.isnan(marks)
    wanted = torch.where(known, marks, torch.zeros_like(marks)).to(logits.dtype)
    lost = functional.binary_cross_entropy_with_logits(logits, wanted, pos_weight=weights, reduction="none")
    return (lost * known).sum() / known.sum().clip(1)


def conditional_ordinal(logits: Tensor, ranks: Tensor) -> Tensor:
    """Shi et al. (2021, CORN): each logit asks whether the rank is higher still, of those who came that far."""
    steps = torch.arange(logits.shape[1], device=logits.device)
    asked = ranks[:, None] >= steps
    higher = (ranks[:, None] > steps).to(logits.dtype)
    lost = functional.binary_cross_entropy_with_logits(logits, higher, reduction="none")
    return (lost * asked).sum() / asked.sum().clip(1)


def tree_cross_entropy(logits: Tensor, shares: Tensor, members: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Negative log probability of a leaf and of all above it; a parent is as likely as its leaves together.

    `shares` (rows, leaves then parents) say how much of a row each name is, zero where it is unknown; `members`
    (parents, leaves) which leaves a parent holds. Parents weigh half a leaf each.
    """
    logs = functional.log_softmax(logits, 1)
    leaves = logs.shape[1]
    held = logs[:, None].masked_fill(~members, float("-inf")) if len(members) else logs.new_zeros((len(logits), 0, 1))
    parents = torch.logsumexp(held, 2)
    known = shares[:, :leaves].sum(1)
    lost = -(shares[:, :leaves] * logs).sum(1) * (1 - smoothing) - smoothing * known * logs.mean(1)
    lost = lost - 0.5 * (shares[:, leaves:] * parents).sum(1)
    return lost.mean()
