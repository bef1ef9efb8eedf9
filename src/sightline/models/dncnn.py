"""The residual stack of Zhang et al. (2017): what is wrong with a picture is learnt, and taken away from it.

Seventeen layers are its gray network for one level of noise, twenty its blind one. At another scale it works on the
small picture and unfolds what it gives.
"""

from __future__ import annotations

from functools import partial
from itertools import chain

from torch import nn

from sightline.models._folding import Folded
from sightline.models._variants import Variant, sized

GIVES = "picture"
PARAMETERS = 558_403
COST = 2_279_079_936  # multiplications of one picture of 64 x 64 x 3
USE = "pictures in, pictures out; the published yardstick of denoising"
VARIANTS = {"17": 558_403, "20": 669_379}


def build(channels: int = 3, *, size: str = "17", width: int = 64, scale: int = 1) -> nn.Module:
    """`size` counts convolutions; all but the first and the last are followed by a batch norm."""
    middle = chain.from_iterable(
        (nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        for _ in range(int(size) - 2)
    )
    return Folded(channels, width, nn.Sequential(nn.ReLU(inplace=True), *middle), scale=scale)


def variant(size: str) -> Variant:
    """The network with so many convolutions."""
    return sized("dncnn", partial(build), VARIANTS, size, GIVES)
