"""Losses over embeddings."""

from __future__ import annotations

import torch
from torch import Tensor


def supervised_contrast(vectors: Tensor, classes: Tensor, *, temperature: float = 0.1) -> Tensor:
    """Khosla et al. (2020), the form with the sum outside the logarithm: same names near, other names far."""
    alike = classes[:, None] == classes[None]
    itself = torch.eye(len(classes), dtype=torch.bool, device=classes.device)
    near = (vectors @ vectors.T / temperature).masked_fill(itself, float("-inf"))
    log_share = near - torch.logsumexp(near, 1, keepdim=True)
    pairs = alike & ~itself
    count = pairs.sum(1)
    per_row = -log_share.masked_fill(~pairs, 0.0).sum(1) / count.clip(1)
    return per_row[count > 0].mean() if bool((count > 0).any()) else vectors.sum() * 0.0


def likeness(values: Tensor, taught: Tensor) -> Tensor:
    """Mean squared difference from a teacher's numbers of any kind, in units of how much those vary."""
    spread = taught.var(correction=0) if taught.numel() > 1 else taught.new_ones(())
    return (values - taught).square().mean() / spread.clip(1e-6)
