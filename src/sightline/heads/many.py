"""Heads that answer once a picture with numbers, or with names that stand side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.heads._pixels import Pixels
from sightline.heads._pooling import only_pooled


def marks(
    model: nn.Module, spec: InputSpec, count: int, *, dropout: float = 0.0, shares: Sequence[float] = ()
) -> nn.Module:
    """`logits` of `count` names that do not exclude one another, which begin at how often each holds."""
    made = _Pooled(model, spec, count, dropout)
    if shares and made.head is not None:
        begin = torch.tensor([math.log(share / (1 - share)) for share in shares])
        made.head[-1].bias = nn.Parameter(begin)
    return made


def numbers(model: nn.Module, spec: InputSpec, count: int, *, dropout: float = 0.0) -> nn.Module:
    """`numbers` and the `spread` of each, both in spreads of the training side."""
    return _Numbers(model, spec, 2 * count, dropout)


class _Pooled(nn.Module):
    def __init__(self, model: nn.Module, spec: InputSpec, count: int, dropout: float) -> None:
        super().__init__()
        if hasattr(model, "solve"):
            raise SettingsError("this model learns one name a picture in closed form; choose one such as 'small'.")
        self.pixels, self.model = Pixels(spec), only_pooled(model)
        widths = getattr(model, "widths", None)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(widths[-1], count)) if widths else None

    def answer(self, image: Tensor) -> Tensor:
        x = self.model(self.pixels(image))
        made: Tensor = x if self.head is None else self.head(x[-1].mean((2, 3)))
        return made

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"logits": self.answer(image)}


class _Numbers(_Pooled):
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        middle, wide = self.answer(image).float().chunk(2, 1)
        return {"numbers": middle, "spread": functional.softplus(wide) + 1e-3}
