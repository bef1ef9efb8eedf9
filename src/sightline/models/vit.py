"""A plain vision transformer in the sizes of DeiT, without the class token.

Dosovitskiy et al. (2021), Touvron et al. (2021). Attention asks every token about every other: its cost grows with the
square of their number. `naive` writes that square into memory, as the papers that compare themselves with it do;
otherwise torch's fused attention is used.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sightline.models._columns import DEPTH, WIDTHS, Columns, Grid, joined, parted
from sightline.models._layers import Whole
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "the yardstick of the papers; wants much data or pre-trained weights"
HEADS = {"t": 3, "s": 6, "b": 12}
VARIANTS = {"t": 5_524_032, "s": 21_664_896, "b": 85_797_120, "t/4": 5_360_448}
PARAMETERS = 5_524_032
COST = 88_473_600  # multiplications of one picture of 64 x 64 x 3
SHALLOW = {"depth": 2}  # enough to try an export with: every block is like the others


def build(
    channels: int = 3, *, size: str = "t", depth: int = DEPTH, drop: float = 0.0, naive: bool = False
) -> nn.Module:
    """One level at the stride of the patches: 16, or 4 for `t/4`, which is for pictures of about 32 pixels."""
    heads = HEADS[size[0]]
    return Columns(channels, size, lambda width: Attention(width, heads, naive), depth, drop)


def variant(size: str) -> Variant:
    """`vit:s` and so on."""
    return sized("vit", build, VARIANTS, size, GIVES)


def published(size: str = "t", classes: int = 1000) -> nn.Module:
    """With the linear classifier of the paper, for its counts; attention written out, so that it is counted."""
    return Whole(build(size=size, naive=True), nn.Linear(WIDTHS[size[0]], classes))


class Attention(nn.Module):
    """Several heads of softmax attention (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int, naive: bool = False) -> None:
        super().__init__()
        self.heads, self.naive = heads, naive
        self.enter, self.leave = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        query, key, value = (parted(part, self.heads) for part in self.enter(x).chunk(3, 2))
        if self.naive:
            weight = (query @ key.transpose(-2, -1)) * query.shape[-1] ** -0.5
            mixed = weight.softmax(-1) @ value
        else:
            mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.leave(joined(mixed))  # type: ignore[no-any-return]
