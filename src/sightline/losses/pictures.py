"""Losses over pixels."""

from __future__ import annotations

from torch import Tensor


def charbonnier(pixels: Tensor, truth: Tensor, *, soft: float = 1e-3) -> Tensor:
    """A smooth absolute difference (Charbonnier et al. 1994), zero on identical input."""
    return ((pixels - truth).square() + soft**2).sqrt().mean() - soft


def mean_square(pixels: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference."""
    return (pixels - truth).square().mean()
