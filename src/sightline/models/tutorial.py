"""The network of the well-known CIFAR-10 tutorial: three convolutions and a dense layer, 122,570 numbers.

Convolutions without padding, 32, 64 and 64 wide, pooled twice; then 64 dense units and one answer a name. At 32 x 32
it is that network exactly; other sizes are averaged down to the 4 x 4 that its dense layer expects.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

GIVES = "logits"
PARAMETERS = 122_570
COST = 24_197_120  # multiplications of one picture of 64 x 64 x 3
USE = "first steps and teaching; small pictures"
SIDE = 32


def build(channels: int = 3, count: int = 10) -> nn.Module:
    """Weights begin as the tutorial's do (Glorot and Bengio 2010, biases zero), not as torch's."""
    return Tutorial(channels, count)


class Tutorial(nn.Module):
    """`forward(x)` gives one score a name."""

    side = 4

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 32, 3)
        self.second = nn.Conv2d(32, 64, 3)
        self.third = nn.Conv2d(64, 64, 3)
        self.dense = nn.Linear(64 * self.side**2, 64)
        self.answer = nn.Linear(64, count)
        for layer in self.children():
            _begin(layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.answered(self.pooled(x))

    def pooled(self, x: Tensor) -> Tensor:
        """What the last layer answers from."""
        x = functional.max_pool2d(functional.relu(self.first(x)), 2)
        x = functional.max_pool2d(functional.relu(self.second(x)), 2)
        x = functional.relu(self.third(x))
        if x.shape[-2:] != (self.side, self.side):
            x = functional.adaptive_avg_pool2d(x, self.side)
        return functional.relu(self.dense(x.flatten(1)))

    def answered(self, pooled: Tensor) -> Tensor:
        """One score a name."""
        return self.answer(pooled)  # type: ignore[no-any-return]


def _begin(layer: Any) -> None:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
