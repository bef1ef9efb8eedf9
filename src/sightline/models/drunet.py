"""An encoder and decoder of residual pairs on pixels folded two by two: sees far around each pixel for little.

The shape is that of DRUNet (Zhang et al. 2022), which sums its skips and has no norms; this one is a hundredth of its
size, begins on folded pixels and is told no level of noise.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from sightline.models._folding import Folded, Residual

GIVES = "picture"
PARAMETERS = 376_204
COST = 212_729_856  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, pictures out; the default of restoration, and what the shipped weights are of"


def build(
    channels: int = 3,
    *,
    widths: tuple[int, ...] = (48, 48, 64),
    depths: tuple[int, ...] = (2, 1, 1),
    fold: int = 2,
    scale: int = 1,
) -> nn.Module:
    """`depths` residual pairs a level on the way down and again on the way up; the last level is passed once."""
    return Folded(channels, widths[0], Levels(widths, depths), fold=fold, scale=scale, step=2 ** (len(widths) - 1))


class Levels(nn.Module):
    """Down by strided convolutions and up again, each level's map added to its twin."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        for (wide, wider), depth in zip(pairwise(widths), depths, strict=False):
            self.down.append(_pairs(wide, depth))
            self.shrink.append(nn.Conv2d(wide, wider, 2, 2))
            self.grow.append(nn.ConvTranspose2d(wider, wide, 2, 2))
            self.up.append(_pairs(wide, depth))
        self.middle = _pairs(widths[-1], depths[-1])

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for pairs, shrink in zip(self.down, self.shrink, strict=True):
            x = pairs(x)
            kept.append(x)
            x = shrink(x)
        x = self.middle(x)
        for pairs, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = pairs(grow(x) + kept.pop())
        return x


def _pairs(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(width) for _ in range(depth)))
