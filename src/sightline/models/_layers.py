"""Small layers that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class DropPath(nn.Module):
    """Leaves out a whole branch for some rows (Huang et al. 2016) and makes up for it in the others."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= self.rate
        return x * kept.to(x.dtype) / (1 - self.rate)


class Squeeze(nn.Module):
    """Weighs each channel by what the whole map holds (Hu et al. 2018)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(weight)


class Whole(nn.Module):
    """A pyramid with the classifier of its paper: what published sizes and costs are counted on."""

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)[-1].mean((2, 3)))  # type: ignore[no-any-return]


def halved(x: Tensor, *, whole: bool = True) -> Tensor:
    """The largest of each two by two; of odd sides the last alone, or not at all where not the `whole` is asked for.

    The compiler for processors is slow to undo a pooling; of four slices it makes one loop. Eagerly they are slower.
    """
    if not torch.compiler.is_compiling() or torch.compiler.is_exporting():
        return functional.max_pool2d(x, 2, ceil_mode=whole)
    rows, columns = x.shape[-2:]
    if not whole:
        x = x[..., : rows - rows % 2, : columns - columns % 2]
    elif rows % 2 or columns % 2:
        x = functional.pad(x, (0, columns % 2, 0, rows % 2), value=-torch.inf)
    upper, lower = x[..., ::2, :], x[..., 1::2, :]
    return torch.maximum(
        torch.maximum(upper[..., ::2], upper[..., 1::2]), torch.maximum(lower[..., ::2], lower[..., 1::2])
    )
