"""A small hybrid: convolutions see texture while maps are large, attention relates the parts once they are small.

Two levels of separable convolutions, two of attention. A 3 x 3 depthwise convolution before each attention says where a
token lies (Chu et al. 2021), so that any size goes without a table of places.
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from torch.nn import functional

from sightline.models._layers import Squeeze
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
PARAMETERS = 1_684_896
COST = 22_875_648  # multiplications of one picture of 64 x 64 x 3
USE = "pictures whose parts must be related; a middle way between cost and reach"


SHAPES = {  # levels that attend, and blocks a level; the halves alone cost as much as the whole
    "both": (2, (1, 2, 3, 2)),
    "near": (0, (1, 2, 4, 2)),
    "far": (4, (1, 1, 2, 2)),
}
VARIANTS = {"both": 1_684_896, "near": 2_162_784, "far": 1_451_600}


def build(
    channels: int = 3, *, size: str = "both", width: int = 32, blocks: tuple[int, int, int, int] | None = None
) -> nn.Module:
    """Four levels at strides 4, 8, 16 and 32; the last two attend, or none (`near`), or all (`far`)."""
    attending, usual = SHAPES[size]
    return Hybrid(channels, (width, 2 * width, 4 * width, 6 * width), blocks or usual, attending)


def variant(size: str) -> Variant:
    """`hybrid:near` and so on: its halves alone, to see what joining them is worth."""
    return sized("hybrid", build, VARIANTS, size, GIVES)


class Hybrid(nn.Module):
    """`forward(x)` gives one map a level; `widths` and `strides` say which."""

    strides = (4, 8, 16, 32)

    def __init__(self, channels: int, widths: tuple[int, ...], blocks: tuple[int, ...], attending: int) -> None:
        super().__init__()
        self.widths = widths
        self.enter = nn.ModuleList([_stem(channels, widths[0])])
        for before, after in itertools.pairwise(widths):
            self.enter.append(nn.Sequential(nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after)))
        kinds = (*(_Separable,) * (len(widths) - attending), *(_Attending,) * attending)
        self.stages = nn.ModuleList(
            nn.Sequential(*(kind(width) for _ in range(count)))
            for kind, width, count in zip(kinds, widths, blocks, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for enter, stage in zip(self.enter, self.stages, strict=True):
            x = stage(enter(x))
            maps.append(x)
        return maps


class _Separable(nn.Module):
    """Wide, depthwise, weighed, narrow (Sandler et al. 2018; Tan and Le 2019)."""

    def __init__(self, width: int, times: int = 4) -> None:
        super().__init__()
        wide, last = times * width, nn.BatchNorm2d(width)
        self.body = nn.Sequential(
            *(nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.SiLU(inplace=True)),
            *(nn.Conv2d(wide, wide, 3, 1, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.SiLU(inplace=True)),
            *(Squeeze(wide, width // 2), nn.Conv2d(wide, width, 1, bias=False), last),
        )
        nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


class _Attending(nn.Module):
    """Where, then who attends to whom, then a dense layer a token."""

    def __init__(self, width: int, inner: int = 32) -> None:
        super().__init__()
        self.heads = width // inner
        self.where = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.enter, self.leave = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.where(x)
        tokens = x.flatten(2).transpose(1, 2)
        query, key, value = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2)
            for part in self.enter(self.first(tokens)).chunk(3, 2)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.leave(mixed.transpose(1, 2).flatten(2))
        tokens = tokens + self.feed(self.second(tokens))
        return tokens.transpose(1, 2).reshape(x.shape)  # type: ignore[no-any-return]


def _stem(channels: int, width: int) -> nn.Sequential:
    half = width // 2
    return nn.Sequential(
        *(nn.Conv2d(channels, half, 3, 2, 1, bias=False), nn.BatchNorm2d(half), nn.SiLU(inplace=True)),
        *(nn.Conv2d(half, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width)),
    )
