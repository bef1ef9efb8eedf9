"""A fast small network for small pictures: few, wide layers that keep two cores busy and learn in minutes.

After Jordan (2024, airbench) and Page (2018): pictures are first taken apart into 2 x 2 waves and opponent colours, of
both signs and of equal strength. That is what whitening patches of a data set finds, but needs no pass over the data.
Then come three blocks of two 3 x 3 convolutions with GELU, halving by maximum. A convolution begins by handing on what
it is given, in place of a residual: on CIFAR-10 that begins slower, ends at least as well, and is less to compute.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._layers import halved
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "pictures of about 32 pixels, from scratch, in minutes on two cores"
SIDE = 32
SHAPES = {"s": (48, 96, 160), "m": (64, 160, 224), "l": (64, 256, 256), "xl": (64, 384, 384)}
VARIANTS = {"s": 525_376, "m": 1_149_184, "l": 1_969_920, "xl": 4_256_512}
PARAMETERS = 1_149_184
COST = 359_792_640  # multiplications of one picture of 64 x 64 x 3


def build(channels: int = 3, *, size: str = "m") -> nn.Module:
    """Three levels at strides 2, 4 and 8."""
    return Quick(channels, SHAPES[size])


def variant(size: str) -> Variant:
    """`quick:s` and so on."""
    return sized("quick", build, VARIANTS, size, GIVES)


class Quick(nn.Module):
    """`forward(x)` gives one map a level; `widths` and `strides` say which."""

    strides = (2, 4, 8)
    whole = True  # every level has a row for what is left of a picture beyond the last whole window

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths = widths
        taps = waves(channels)
        self.apart = _fixed(taps)
        self.even = nn.BatchNorm2d(len(taps), affine=False)
        self.levels = nn.ModuleList(
            _Block(before, after) for before, after in zip((2 * len(taps), *widths), widths, strict=False)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = functional.pad(x, (0, 1, 0, 1), "replicate") if self.whole or _tiny(x) else x
        x = self.even(self.apart(x))
        x = functional.gelu(torch.cat([x, -x], 1))
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return maps

    def narrow(self) -> None:
        """Whole windows alone, for a head that pools what it is given: 3 x 3 of a picture of 32, a sixth less work."""
        for module in (self, *self.levels):
            module.whole = False


class _Block(nn.Module):
    whole = True

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first, self.norm1 = _handing_on(before, after), nn.BatchNorm2d(after)
        self.second, self.norm2 = _handing_on(after, after), nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.gelu(self.norm1(halved(self.first(x), whole=self.whole or _tiny(x))))
        return functional.gelu(self.norm2(self.second(x)))


def _handing_on(before: int, after: int) -> nn.Conv2d:
    """A convolution whose first maps begin as those that it is given; chance makes what more there are."""
    made = nn.Conv2d(before, after, 3, 1, 1, bias=False)
    nn.init.dirac_(made.weight.data[:before])
    return made


def _fixed(taps: Tensor) -> nn.Conv2d:
    """A layer that does not learn: nothing is handed back through it, which spares a tenth of a step."""
    made = nn.Conv2d(taps.shape[1], taps.shape[0], taps.shape[2], bias=False)
    del made.weight
    made.register_buffer("weight", taps)
    return made


def _tiny(x: Tensor) -> bool:
    """Whether so little is left that nothing may be left out."""
    return min(x.shape[-2:]) < 4


def waves(channels: int) -> Tensor:
    """Orthonormal 2 x 2 filters: even, across, down and both, of each of as many orthogonal mixtures of channels."""
    sides = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / math.sqrt(2)
    places = torch.einsum("ay,bx->abyx", sides, sides).flatten(0, 1)
    number = torch.arange(channels, dtype=torch.float64)
    mixes = torch.cos(math.pi / channels * torch.outer(number, number + 0.5))
    mixes = (mixes / mixes.norm(dim=1, keepdim=True)).float()
    return torch.einsum("mc,pyx->mpcyx", mixes, places).flatten(0, 1)
