"""Three layers on the small picture, then pixels unfolded from channels (Shi et al. 2016): the cheapest enlarger."""

from __future__ import annotations

from torch import nn

from sightline.models._folding import Folded

GIVES = "picture"
PARAMETERS = 24_195
COST = 98_697_216  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, larger pictures out; where every millisecond counts"


def build(channels: int = 3, *, widths: tuple[int, int] = (64, 32), scale: int = 1) -> nn.Module:
    """`widths` are those of the first two layers."""
    first, second = widths
    body = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(first, second, 3, 1, 1), nn.ReLU(inplace=True))
    network = Folded(channels, first, body, scale=scale)
    network.enter = nn.Conv2d(channels, first, 5, 1, 2)  # what its paper begins with
    network.leave = nn.Conv2d(second, network.leave.out_channels, 3, 1, 1)
    nn.init.zeros_(network.leave.weight)
    nn.init.zeros_(network.leave.bias)  # type: ignore[arg-type]
    return network
