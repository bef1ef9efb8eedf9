"""Vim: a picture is read as a row of tokens by a scan that chooses what to remember, once from each end.

After Zhu et al. (2024) on the selective scan of Gu and Dao (2023): h <- exp(-d A) h + d B x, answered by C h + D x; the
step d, what is let in (B) and what is asked for (C) come from the token itself. Each block adds both ways, gated; no
dense layer stands beside the scan. It is done by doubling here, so that it needs no code of its own on a device: fused
kernels are what the speed of the paper comes from. The answer is the mean of all tokens, not of one in the middle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._columns import WIDTHS, as_map, plan
from sightline.models._layers import DropPath, Whole
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "a measure for other linear layers: what a learnt scan reaches on the same pictures"
DEPTH, STATE, REACH = 24, 16, 4  # blocks; numbers a channel remembers; tokens that the convolution before it sees
DROPS = {"t": 0.0, "s": 0.05, "b": 0.2}
VARIANTS = {"t": 6_954_624, "s": 25_410_816, "b": 96_827_904, "t/4": 6_791_040}
PARAMETERS = 6_954_624
COST = 104_988_672  # multiplications of one picture of 64 x 64 x 3, those of the scan itself left out
SHALLOW = {"depth": 2}  # enough to try an export with: every block is like the others


def build(channels: int = 3, *, size: str = "t", depth: int = DEPTH, drop: float | None = None) -> nn.Module:
    """One level at the stride of the patches: 16, or 4 for `t/4`, which is for pictures of about 32 pixels."""
    return Vim(channels, size, depth, DROPS[size[0]] if drop is None else drop)


def variant(size: str) -> Variant:
    """`vim:s` and so on."""
    return sized("vim", build, VARIANTS, size, GIVES)


def published(size: str = "t", classes: int = 1000) -> nn.Module:
    """With the linear classifier of the paper, for its counts."""
    return Whole(build(size=size), nn.Linear(WIDTHS[size[0]], classes))


class Vim(nn.Module):
    """`forward(x)` gives one map at the stride of its patches; sizes that do not divide evenly are padded inside."""

    def __init__(self, channels: int, size: str, depth: int, drop: float) -> None:
        super().__init__()
        width, patch, side = plan(size)
        self.patch, self.widths, self.strides = patch, (width,), (patch,)
        self.cut = nn.Conv2d(channels, width, patch, patch)
        self.place = nn.Parameter(torch.empty(1, width, side, side))
        self.blocks = nn.ModuleList(_Block(width, drop * number / max(1, depth - 1)) for number in range(depth))
        self.norm = nn.RMSNorm(width, 1e-5)
        nn.init.trunc_normal_(self.place, std=0.02)
        with torch.no_grad():
            for block in self.blocks:
                block.mixer.leave.weight /= math.sqrt(depth)  # type: ignore[union-attr,operator]

    def forward(self, x: Tensor) -> list[Tensor]:
        rows, columns = x.shape[-2:]
        x = self.cut(functional.pad(x, (0, -columns % self.patch, 0, -rows % self.patch)))
        grid = (x.shape[-2], x.shape[-1])
        place: Tensor = self.place
        if place.shape[-2:] != grid:
            place = functional.interpolate(place, grid, mode="bilinear", align_corners=False)
        tokens = (x + place).flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens)
        return [as_map(self.norm(tokens), grid)]


class _Block(nn.Module):
    def __init__(self, width: int, drop: float) -> None:
        super().__init__()
        self.norm, self.mixer, self.drop = nn.RMSNorm(width, 1e-5), BothWays(width), DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop(self.mixer(self.norm(x)))  # type: ignore[no-any-return]


class BothWays(nn.Module):
    """The mixer: what enters is scanned from the first token and from the last, gated, and halved."""

    def __init__(self, width: int) -> None:
        super().__init__()
        wide = 2 * width
        self.enter, self.leave = nn.Linear(width, 2 * wide, bias=False), nn.Linear(wide, width, bias=False)
        self.ahead, self.back = Scan(wide, width), Scan(wide, width)

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.enter(x).chunk(2, 2)
        seen = self.ahead(x) + self.back(x.flip(1)).flip(1)
        return self.leave(seen * functional.silu(gate) / 2)  # type: ignore[no-any-return]


class Scan(nn.Module):
    """One way: the last few tokens of each channel, then what is remembered of all that came before."""

    def __init__(self, wide: int, width: int) -> None:
        super().__init__()
        self.rank = math.ceil(width / 16)
        self.near = nn.Conv1d(wide, wide, REACH, groups=wide)
        self.choose = nn.Linear(wide, self.rank + 2 * STATE, bias=False)
        self.step = nn.Linear(self.rank, wide)
        self.fade = nn.Parameter(torch.arange(1, STATE + 1).float().log().repeat(wide, 1))
        self.through = nn.Parameter(torch.ones(wide))
        steps = torch.exp(torch.rand(wide) * (math.log(0.1) - math.log(1e-3)) + math.log(1e-3))
        with torch.no_grad():
            self.step.weight.uniform_(-(self.rank**-0.5), self.rank**-0.5)
            self.step.bias.copy_(steps + torch.log(-torch.expm1(-steps)))  # softplus gives the steps back

    def forward(self, x: Tensor) -> Tensor:
        """(rows, tokens, wide) to the same."""
        x = functional.silu(self.near(functional.pad(x.transpose(1, 2), (REACH - 1, 0))).transpose(1, 2))
        step, let, ask = self.choose(x).split([self.rank, STATE, STATE], 2)
        step = functional.softplus(self.step(step)).float()
        kept = torch.exp(step[..., None] * -self.fade.float().exp())
        held = scanned(kept, (step * x)[..., None] * let[:, :, None].float())
        return ((held * ask[:, :, None]).sum(3) + x * self.through).to(x.dtype)  # type: ignore[no-any-return]


def scanned(kept: Tensor, added: Tensor) -> Tensor:
    """h[t] = kept[t] h[t - 1] + added[t] along the second axis, from nothing, in as many passes as it has doublings."""
    shift, count = 1, added.shape[1]
    while shift < count:
        before = functional.pad(added[:, :-shift], (0, 0, 0, 0, shift, 0))
        added = added + kept * before
        kept = kept * functional.pad(kept[:, :-shift], (0, 0, 0, 0, shift, 0), value=1.0)
        shift *= 2
    return added
