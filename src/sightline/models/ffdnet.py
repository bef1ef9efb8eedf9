"""A plain stack on pixels folded two by two: a quarter of the cost of the same stack on the picture itself.

Folding and unfolding are those of FFDNet (Zhang, Zuo and Zhang 2018); this one is told no level of noise, and its
layers come in residual pairs.
"""

from __future__ import annotations

from torch import nn

from sightline.models._folding import Folded, Residual

GIVES = "picture"
PARAMETERS = 308_812
COST = 316_145_664  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, pictures out; noise and blocks, where a processor must be quick"


def build(channels: int = 3, *, width: int = 64, depth: int = 4, fold: int = 2, scale: int = 1) -> nn.Module:
    """`depth` residual pairs of layers on `fold` x `fold` pixels at once."""
    body = nn.Sequential(*(Residual(width) for _ in range(depth)))
    return Folded(channels, width, body, fold=fold, scale=scale)
