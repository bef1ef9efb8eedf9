"""KAConvNet: convolutions whose every tap bends its pixel by a learnt function before it is summed.

After the Kolmogorov-Arnold theorem: with K x K pixels in a window, each channel has 2K^2 + 1 sums of inner functions,
each sum goes through an outer function, and one mix of all of them is the answer (Liu et al. 2026). The inner function
of tap p in sum q is  w1[q,p] SiLU(x) + w2[q,p] (a[p] min(x,0) + b[p] max(x,0) + c[p]).  As it is linear in SiLU(x),
min(x,0) and max(x,0), all sums together are ONE grouped convolution over those three, with nothing unfolded.

`s`, `b` and `l` are the published sizes; `s-plain` and so on are their controls, the same with plain convolutions.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._layers import DropPath, Squeeze, Whole
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "strong for its cost where every multiplication counts; slower to train than its control"
SHAPES = {
    "s": ((32, 64, 128, 256), (1, 1, 3, 1)),
    "b": ((32, 64, 128, 256), (2, 2, 6, 2)),
    "l": ((48, 96, 192, 384), (2, 2, 6, 2)),
}
VARIANTS = {
    "s": 3_715_720,
    "b": 7_367_584,
    "l": 16_032_696,
    "s-plain": 2_173_784,
    "b-plain": 4_286_064,
    "l-plain": 9_613_992,
}
PARAMETERS = 3_715_720
COST = 61_292_032  # multiplications of one picture of 64 x 64 x 3


def build(channels: int = 3, *, size: str = "s", drop: float = 0.1) -> nn.Module:
    """Four levels at strides 4, 8, 16 and 32; `drop` leaves out the second half of a block as often."""
    name, _, control = size.partition("-")
    return KAConvNet(channels, *SHAPES[name], bool(control), drop)


def variant(size: str) -> Variant:
    """`kaconvnet:b`, `kaconvnet:b-plain` and so on."""
    return sized("kaconvnet", build, VARIANTS, size, GIVES)


def published(size: str = "s", classes: int = 1000) -> nn.Module:
    """With the classifier of the paper, for its counts."""
    body = build(size=size)
    width = SHAPES[size.partition("-")[0]][0][-1]
    return Whole(body, nn.Sequential(nn.Linear(width, 1024), nn.Dropout(0.25), nn.Linear(1024, classes)))


class KAConv(nn.Module):
    """The layer: inner functions and their sums, a norm, outer functions, one mix."""

    def __init__(self, before: int, after: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        taps = kernel * kernel
        self.units, self.kernel, self.stride = 2 * taps + 1, kernel, stride
        middle = before * self.units
        self.smooth = nn.Conv2d(before, middle, kernel, groups=before)  # w1 and its bias
        self.bent = nn.Conv2d(before, middle, kernel, groups=before)  # w2 and its bias
        self.below = nn.Parameter(torch.randn(before, taps) / 2)
        self.above = nn.Parameter(torch.randn(before, taps) / 2)
        self.offset = nn.Parameter(torch.rand(before, taps) / 10)
        self.norm = nn.BatchNorm2d(middle)
        self.outer = nn.PReLU(middle, 0.2)
        self.mix = nn.Conv2d(middle, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.outer(self.norm(self.sums(x))))  # type: ignore[no-any-return]

    def sums(self, x: Tensor) -> Tensor:
        """All sums of inner functions, as one grouped convolution over three bends of each channel."""
        bends = torch.stack([functional.silu(x), functional.relu(-x), functional.relu(x)], 2).flatten(1, 2)
        bent = self.bent.weight
        by_tap = (len(bent), 1, self.kernel, self.kernel)
        below, above, offset = (
            number.repeat_interleave(self.units, 0).view(by_tap) for number in (self.below, self.above, self.offset)
        )
        weight = torch.cat([self.smooth.weight, -bent * below, bent * above], 1)
        bias = self.smooth.bias + self.bent.bias + (bent * offset).sum((1, 2, 3))  # type: ignore[operator]
        return functional.conv2d(bends, weight, bias, self.stride, self.kernel // 2, groups=self.bent.groups)


class KAConvNet(nn.Module):
    """`forward(x)` gives one map a level; `widths` and `strides` say which."""

    strides = (4, 8, 16, 32)

    def __init__(
        self, channels: int, widths: tuple[int, ...], depths: tuple[int, ...], plain: bool, drop: float
    ) -> None:
        super().__init__()
        self.widths = widths
        enter = [_stem(channels, widths[0], plain)]
        enter += [_narrow(before, after) for before, after in itertools.pairwise(widths)]
        self.enter = nn.ModuleList(enter)
        self.stages = nn.ModuleList(
            nn.Sequential(*(_Block(width, plain, drop) for _ in range(depth)))
            for width, depth in zip(widths, depths, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for enter, stage in zip(self.enter, self.stages, strict=True):
            x = enter(x)
            x = x + stage(x)
            maps.append(x)
        return maps


class _Block(nn.Module):
    def __init__(self, width: int, plain: bool, drop: float) -> None:
        super().__init__()
        self.mix = nn.Conv2d(width, width, 3, 1, 1) if plain else KAConv(width, width)
        self.norm, self.weigh = nn.BatchNorm2d(width), Squeeze(width, width // 4)
        self.feed = nn.Sequential(
            *(nn.BatchNorm2d(width), nn.Conv2d(width, 4 * width, 1), nn.BatchNorm2d(4 * width), nn.GELU()),
            *(nn.Conv2d(4 * width, width, 1), nn.BatchNorm2d(width)),
        )
        self.drop = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.weigh(self.norm(self.mix(x)))
        return x + self.drop(self.feed(x))  # type: ignore[no-any-return]


def _stem(channels: int, width: int, plain: bool) -> nn.Sequential:
    slope = 0.2 if plain else 0.1
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 2, 1) if plain else KAConv(channels, width, 3, 2),
        *(nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, 1, 1, groups=width)),
        *(nn.BatchNorm2d(width), nn.LeakyReLU(slope), nn.Conv2d(width, width, 1)),
        *(nn.BatchNorm2d(width), nn.LeakyReLU(slope), nn.Conv2d(width, width, 3, 2, 1), nn.BatchNorm2d(width)),
    )


def _narrow(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(before, after, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.1)),
        *(nn.Conv2d(after, after, 3, 2, 1, groups=after), nn.BatchNorm2d(after), nn.LeakyReLU(0.1)),
    )
