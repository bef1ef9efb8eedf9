"""The column that plain vision transformers share: patches, places, one mixer and one dense layer a block.

Dosovitskiy et al. (2021) and Touvron et al. (2021, DeiT), without the class token: answers come from the mean of all
tokens. What mixes tokens is given by the model: attention, or layers that are trained on the picture itself.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._layers import DropPath

Grid = tuple[int, int]
WIDTHS = {"t": 192, "s": 384, "b": 768}
DEPTH = 12


class Columns(nn.Module):
    """`forward(x)` gives one map at the stride of its patches; sizes that do not divide evenly are padded inside."""

    def __init__(self, channels: int, size: str, mixer: Callable[[int], nn.Module], depth: int, drop: float) -> None:
        super().__init__()
        width, patch, side = plan(size)
        self.patch, self.widths, self.strides = patch, (width,), (patch,)
        self.cut = nn.Conv2d(channels, width, patch, patch)
        self.place = nn.Parameter(torch.empty(1, width, side, side))
        self.blocks = nn.ModuleList(
            _Block(width, mixer(width), drop * number / max(1, depth - 1)) for number in range(depth)
        )
        self.norm = nn.LayerNorm(width, 1e-6)
        self.apply(_begin)
        nn.init.trunc_normal_(self.place, std=0.02)

    def forward(self, x: Tensor) -> list[Tensor]:
        rows, columns = x.shape[-2:]
        x = self.cut(functional.pad(x, (0, -columns % self.patch, 0, -rows % self.patch)))
        grid = (x.shape[-2], x.shape[-1])
        tokens = (x + self._places(grid)).flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens, grid)
        return [as_map(self.norm(tokens), grid)]

    def _places(self, grid: Grid) -> Tensor:
        if self.place.shape[-2:] == grid:
            return self.place
        return functional.interpolate(self.place, grid, mode="bilinear", align_corners=False)


class _Block(nn.Module):
    def __init__(self, width: int, mixer: nn.Module, drop: float) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.mixer = mixer
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = DropPath(drop)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        x = x + self.drop(self.mixer(self.first(x), grid))
        return x + self.drop(self.feed(self.second(x)))  # type: ignore[no-any-return]


def plan(size: str) -> tuple[int, int, int]:
    """Width, side of a patch, and patches a side for `t`, `s` or `b` (16 of 224), or for `t/4` and so on (4 of 32)."""
    name, _, patch = size.partition("/")
    side = int(patch or 16)
    return WIDTHS[name], side, 224 // 16 if side == 16 else 32 // side


def parted(x: Tensor, heads: int) -> Tensor:
    """(rows, tokens, heads * width) to (rows, heads, tokens, width)."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def joined(x: Tensor) -> Tensor:
    """The way back."""
    return x.transpose(1, 2).flatten(2)


def as_map(x: Tensor, grid: Grid) -> Tensor:
    """(rows, tokens, width) to (rows, width, *grid)."""
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], *grid)


def _begin(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
