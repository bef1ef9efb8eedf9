"""Layers of networks that give pictures: pixels folded into channels and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Folded(nn.Module):
    """A body at 1 / `fold` of the size on `fold` x `fold` pixels as channels; any size comes back, or enlarged.

    `enter` takes the folded channels and `leave` gives those of the `scale` times larger picture: it begins as zero,
    so that the whole begins by adding nothing.
    """

    def __init__(self, channels: int, width: int, body: nn.Module, *, fold: int = 1, scale: int = 1, step: int = 1):
        super().__init__()
        self.fold, self.scale, self.step = fold, scale, fold * step
        self.enter = nn.Conv2d(channels * fold**2, width, 3, 1, 1)
        self.body = body
        self.leave = nn.Conv2d(width, channels * (fold * scale) ** 2, 3, 1, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = x.shape[-2:]
        if self.step > 1:
            x = functional.pad(x, (0, -columns % self.step, 0, -rows % self.step), "replicate")
        if self.fold > 1:
            x = functional.pixel_unshuffle(x, self.fold)
        x = self.leave(self.body(self.enter(x)))
        if self.fold * self.scale > 1:
            x = functional.pixel_shuffle(x, self.fold * self.scale)
        return x[..., : rows * self.scale, : columns * self.scale]


class Residual(nn.Module):
    """Two 3 x 3 convolutions and what came in; no norm, so that levels of light pass unchanged (Lim et al. 2017).

    No bias either: what holds for faint noise then does for strong noise (Mohan et al. 2020), and no unit falls silent.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, 1, 1, bias=False) for _ in range(2))
        with torch.no_grad():
            self.second.weight.mul_(0.1)  # a deep stack of them begins near the identity

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.relu(self.first(x)))  # type: ignore[no-any-return]
