"""Gates in place of activations (Chen et al. 2022): every block multiplies one half of its channels by the other."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._folding import Folded

GIVES = "picture"
PARAMETERS = 104_115
COST = 53_815_808  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, pictures out; the best picture for its size, on a graphics card"


def build(
    channels: int = 3, *, width: int = 16, depths: tuple[int, ...] = (1, 1, 2), fold: int = 1, scale: int = 1
) -> nn.Module:
    """`depths` blocks a level, each level twice as wide at half the size; the last is passed once."""
    widths = tuple(width * 2**level for level in range(len(depths)))
    return Folded(channels, width, _Levels(widths, depths), fold=fold, scale=scale, step=2 ** (len(depths) - 1))


class _Levels(nn.Module):
    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        for (wide, wider), depth in zip(pairwise(widths), depths, strict=False):
            self.down.append(_blocks(wide, depth))
            self.shrink.append(nn.Conv2d(wide, wider, 2, 2))
            self.grow.append(nn.Conv2d(wider, 4 * wide, 1, bias=False))
            self.up.append(_blocks(wide, depth))
        self.middle = _blocks(widths[-1], depths[-1])

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = blocks(x)
            kept.append(x)
            x = shrink(x)
        x = self.middle(x)
        for blocks, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = blocks(functional.pixel_shuffle(grow(x), 2) + kept.pop())
        return x


def _blocks(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(width) for _ in range(depth)))


class _Block(nn.Module):
    """Neighbours first, then channels among themselves; both branches begin at a tenth, so that gradients reach all."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.calm, self.calm_again = _Norm(width), _Norm(width)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.look = nn.Conv2d(2 * width, 2 * width, 3, 1, 1, groups=2 * width)
        self.weigh, self.narrow = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.mix, self.settle = nn.Conv2d(width, 2 * width, 1), nn.Conv2d(width, width, 1)
        self.first, self.second = (nn.Parameter(torch.full((1, width, 1, 1), 0.1)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        made = _gate(self.look(self.widen(self.calm(x))))
        made = self.narrow(made * self.weigh(made.mean((2, 3), keepdim=True)))
        x = x + made * self.first
        return x + self.settle(_gate(self.mix(self.calm_again(x)))) * self.second  # type: ignore[no-any-return]


def _gate(x: Tensor) -> Tensor:
    one, other = x.chunk(2, 1)
    return one * other


class _Norm(nn.Module):
    """Each pixel's channels brought to mean 0 and spread 1, then scaled and moved."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(1, width, 1, 1)), nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        far = x - x.mean(1, keepdim=True)
        return far / (far.square().mean(1, keepdim=True) + 1e-6).sqrt() * self.weight + self.bias
