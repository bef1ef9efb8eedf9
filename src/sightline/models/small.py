"""A small residual network with a pyramid of features: the default where two cores must train it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sightline.models._layers import DropPath

GIVES = "pyramid"
PARAMETERS = 1_107_048
COST = 14_598_144  # multiplications of one picture of 64 x 64 x 3
USE = "the default where two cores must train it; any task that reads a pyramid"


def build(channels: int = 3, *, width: int = 24, blocks: int = 1) -> nn.Module:
    """Three levels at strides 4, 8 and 16, each twice as wide as the one before, then one at 32."""
    return Small(channels, (width, 2 * width, 4 * width, 8 * width), blocks)


class Small(nn.Module):
    """`forward(x)` gives one map a level; `widths` and `strides` say which."""

    strides = (4, 8, 16, 32)

    def __init__(self, channels: int, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        self.widths = widths
        self.stem = _layer(channels, widths[0], 2)
        ends = (widths[0], *widths)
        self.levels = nn.ModuleList(
            nn.Sequential(_layer(before, after, 2), *(_Residual(after) for _ in range(blocks)))
            for before, after in zip(ends, widths, strict=False)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return maps


def _layer(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.SiLU(inplace=True)
    )


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(width)
        self.body = nn.Sequential(_layer(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False), last)
        self.skip = DropPath(0.0)
        nn.init.zeros_(last.weight)  # each block begins as the identity (Goyal et al. 2017)

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.silu(x + self.skip(self.body(x)))
