"""Matrices brought near the orthogonal ones."""

from __future__ import annotations

import torch
from torch import Tensor

FIFTH = (3.4445, -4.7750, 2.0315)  # of the odd polynomial that brings every singular value near one (Jordan 2024)


def turns(weight: Tensor) -> bool:
    """Whether a weight is a matrix, or filters that mix channels."""
    return weight.ndim >= 2 and weight.shape[0] > 1 and weight.shape[1] > 1


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The matrix with all its singular values near one, by Newton and Schulz on the smaller of its two squares."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    square, whole = wide @ wide.T, torch.empty(0)
    first, third, fifth = FIFTH
    for turn in range(steps):
        factor = torch.addmm(square, square, square, beta=third, alpha=fifth)
        factor.diagonal().add_(first)
        whole = factor @ whole if turn else factor
        square = factor @ square @ factor
    made: Tensor = whole @ wide
    return made if matrix.shape[0] <= matrix.shape[1] else made.T
