"""Fixed random filters and ridge regression: learns in one pass without a gradient, an honest floor to beat."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

GIVES = "logits"
PARAMETERS = 0
COST = 24_887_296  # multiplications of one picture of 64 x 64 x 3
USE = "a floor to beat, in seconds"
SIDE = 32


def build(channels: int = 3, count: int = 2, *, filters: int = 256, penalty: float = 1e-3, seed: int = 0) -> nn.Module:
    """Coates et al. (2011): random patches, rectified both ways, pooled over quarters, then least squares."""
    return Ridge(channels, count, filters, penalty, seed)


class Ridge(nn.Module):
    """`solve(batches)` fits the last layer exactly; afterwards it is an ordinary module."""

    filters: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, count: int, filters: int, penalty: float, seed: int) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(seed)
        kernels = torch.randn(filters, channels, 6, 6, generator=chance)
        kernels = kernels - kernels.mean((2, 3), keepdim=True) * 0.7
        self.register_buffer("filters", kernels / kernels.flatten(1).norm(dim=1)[:, None, None, None])
        self.register_buffer("weight", torch.zeros(count, filters * 2 * 4))
        self.register_buffer("bias", torch.zeros(count))
        self.count, self.penalty = count, penalty

    def features(self, x: Tensor) -> Tensor:
        maps = functional.conv2d(x, self.filters, stride=2)
        both = torch.cat([functional.relu(maps - 0.25), functional.relu(-maps - 0.25)], 1)
        return functional.adaptive_avg_pool2d(both, 2).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(self.features(x), self.weight, self.bias)

    @torch.no_grad()
    def solve(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Pairs of scaled pictures and class indices, seen once."""
        width = self.weight.shape[1] + 1
        gram = torch.zeros(width, width, dtype=torch.float64)
        cross = torch.zeros(width, self.count, dtype=torch.float64)
        for x, classes in batches:
            rows = functional.pad(self.features(x).double(), (0, 1), value=1.0)
            wanted = functional.one_hot(classes, self.count).double() * 2 - 1
            gram += rows.T @ rows
            cross += rows.T @ wanted
        steady = torch.eye(len(gram), dtype=torch.float64) * self.penalty * gram.diagonal().mean().clip(1e-9)
        answer = torch.linalg.solve(gram + steady, cross)
        self.weight.copy_(answer[:-1].T * 4)  # sharp enough that a softmax over the answers means something
        self.bias.copy_(answer[-1] * 4)
