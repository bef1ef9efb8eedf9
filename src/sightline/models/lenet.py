"""LeNet-5 (LeCun et al. 1998) with every map connected: 61,706 numbers for one channel and ten names.

Two 5 x 5 convolutions with averages between, three dense layers, tanh throughout. It takes 32 x 32; other sizes are
averaged down to the 5 x 5 that its first dense layer expects.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

GIVES = "logits"
PARAMETERS = 61_706
COST = 3_301_320  # multiplications of one picture of 64 x 64 x 3
USE = "digits, letters and teaching"
SIDE = 32


def build(channels: int = 1, count: int = 10) -> nn.Module:
    """The classic; bounded answers everywhere but at the end."""
    return LeNet(channels, count)


class LeNet(nn.Module):
    """`forward(x)` gives one score a name."""

    side = 5

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(channels, 6, 5), nn.Conv2d(6, 16, 5)
        self.dense = nn.Sequential(nn.Linear(16 * self.side**2, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh())
        self.answer = nn.Linear(84, count)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.avg_pool2d(self.first(x).tanh(), 2)
        x = functional.avg_pool2d(self.second(x).tanh(), 2)
        if x.shape[-2:] != (self.side, self.side):
            x = functional.adaptive_avg_pool2d(x, self.side)
        return self.answer(self.dense(x.flatten(1)))  # type: ignore[no-any-return]
