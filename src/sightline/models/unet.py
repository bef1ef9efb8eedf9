"""An encoder and decoder with skips that gives pictures of the size it was given; it may be told a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

GIVES = "picture"
PARAMETERS = 498_363
COST = 250_675_200  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, pictures out; denoising and generation"


def build(channels: int = 3, *, width: int = 24, depth: int = 3, time: bool = False) -> nn.Module:
    """`depth` halvings; sizes that do not halve evenly are padded inside."""
    return UNet(channels, width, depth, time)


class UNet(nn.Module):
    """`forward(x, time)` gives a picture with as many channels as x; it begins as zero everywhere."""

    def __init__(self, channels: int, width: int, depth: int, time: bool) -> None:
        super().__init__()
        widths = [width * min(2**level, 4) for level in range(depth)]
        self.depth = depth
        self.time = _Time(4 * width) if time else None
        told = 4 * width if time else 0
        self.enter = nn.Conv2d(channels, width, 3, 1, 1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        before = width
        for wide in widths:
            self.down.append(_Block(before, wide, told))
            before = wide
        self.middle = _Block(before, before, told)
        for wide, skip in zip(reversed([width, *widths[:-1]]), reversed(widths), strict=True):
            self.up.append(_Block(before + skip, wide, told))
            before = wide
        self.leave = nn.Conv2d(before, channels, 3, 1, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        rows, columns = x.shape[-2:]
        step = 2**self.depth
        x = functional.pad(x, (0, -columns % step, 0, -rows % step), "replicate")
        told = None if self.time is None or time is None else self.time(time)
        x = self.enter(x)
        skips = []
        for block in self.down:
            x = block(x, told)
            skips.append(x)
            x = functional.avg_pool2d(x, 2)
        x = self.middle(x, told)
        for block in self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], 1), told)
        left: Tensor = self.leave(functional.silu(x))
        return left[..., :rows, :columns]


class _Block(nn.Module):
    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, 1, 1)
        self.norm = nn.GroupNorm(math.gcd(8, after), after)
        self.second = nn.Conv2d(after, after, 3, 1, 1)
        self.short = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        self.told = nn.Linear(told, after) if told else None

    def forward(self, x: Tensor, told: Tensor | None) -> Tensor:
        y = self.first(functional.silu(x))
        if self.told is not None and told is not None:
            y = y + self.told(told)[:, :, None, None]
        y = self.second(functional.silu(self.norm(y)))
        return y + self.short(x)  # type: ignore[no-any-return]


class _Time(nn.Module):
    """A time in 0..1 as waves of many lengths (Vaswani et al. 2017), mixed once."""

    waves: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("waves", torch.exp(torch.linspace(0, math.log(1000.0), width // 2)), persistent=False)
        self.mix = nn.Sequential(nn.Linear(width // 2 * 2, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: Tensor) -> Tensor:
        angles = time[:, None].float() * self.waves
        return self.mix(torch.cat([angles.sin(), angles.cos()], 1))  # type: ignore[no-any-return]
