"""Blocks that keep a quarter of their channels at every layer and work on with the rest (Hui et al. 2019).

What was kept is weighed channel by channel by how much it varies over the picture, and all blocks are read at the end.
This is a small sibling of the published network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._folding import Folded

GIVES = "picture"
PARAMETERS = 110_771
COST = 446_432_256  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, larger pictures out; the sharper enlarger"


def build(channels: int = 3, *, width: int = 32, depth: int = 4, scale: int = 1) -> nn.Module:
    """`depth` blocks of `width` channels, which must part into quarters."""
    return Folded(channels, width, _Body(width, depth), scale=scale)


class _Body(nn.Module):
    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.join = nn.Conv2d(width * depth, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        made, seen = x, []
        for block in self.blocks:
            made = block(made)
            seen.append(made)
        return x + functional.leaky_relu(self.join(torch.cat(seen, 1)), 0.05)


class _Block(nn.Module):
    """Three layers that each keep a quarter, and a fourth that gives one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kept, rest = width // 4, width - width // 4
        self.layers = nn.ModuleList([nn.Conv2d(width if turn == 0 else rest, width, 3, 1, 1) for turn in range(3)])
        self.last = nn.Conv2d(rest, self.kept, 3, 1, 1)
        self.weigh = _Contrast(width)
        self.join = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept, rest = [], x
        for layer in self.layers:
            made = functional.leaky_relu(layer(rest), 0.05)
            kept.append(made[:, : self.kept])
            rest = made[:, self.kept :]
        kept.append(self.last(rest))
        return x + self.join(self.weigh(torch.cat(kept, 1)))  # type: ignore[no-any-return]


class _Contrast(nn.Module):
    """Weighs each channel by its mean and its spread over the picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(4, width // 8)
        self.down, self.up = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        spread = ((x - mean).square().mean((2, 3), keepdim=True) + 1e-6).sqrt()
        return x * torch.sigmoid(self.up(functional.relu(self.down(mean + spread))))
