"""Losses over numbers; NaN in the truth is a number that nobody knows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def huber(numbers: Tensor, truth: Tensor, *, bend: float = 1.0) -> Tensor:
    """Huber (1964): the square of small misses, the size of large ones, so that one wrong label does not rule."""
    known = ~torch.isnan(truth)
    wanted = torch.where(known, truth, numbers.detach())
    lost = functional.huber_loss(numbers, wanted, delta=bend, reduction="none")
    return (lost * known).sum() / known.sum().clip(1)


def gaussian_likelihood(numbers: Tensor, spread: Tensor, truth: Tensor, *, least: float = 1e-3) -> Tensor:
    """Negative log likelihood of a normal error of this spread, without its constant; no spread is below `least`."""
    known = ~torch.isnan(truth)
    wide = spread.clamp_min(least)
    missed = torch.where(known, truth - numbers, torch.zeros_like(numbers))
    lost = torch.log(wide) + 0.5 * (missed / wide) ** 2
    return (lost * known).sum() / known.sum().clip(1)
