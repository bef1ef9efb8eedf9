"""Heads that answer once a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.heads._pixels import Pixels


def labels(model: nn.Module, spec: InputSpec, count: int, *, dropout: float = 0.0) -> nn.Module:
    """`logits` of `count` names, and `features` that tell an unlike picture; a model that gives logits is only fed."""
    kind = _Solved if hasattr(model, "solve") else _Labels
    return kind(model, spec, count, dropout)


def vector(model: nn.Module, spec: InputSpec, length: int) -> nn.Module:
    """`vector` of unit length."""
    return _Vector(model, spec, length)


class _Labels(nn.Module):
    def __init__(self, model: nn.Module, spec: InputSpec, count: int, dropout: float) -> None:
        super().__init__()
        self.pixels, self.model = Pixels(spec), model
        widths = getattr(model, "widths", None)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(widths[-1], count)) if widths else None

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = self.model(self.pixels(image))
        if self.head is None:
            return {"logits": x}
        logits = self.head(x[-1].mean((2, 3)))
        return {"logits": logits} if self.training else {"logits": logits, "features": _looks(x)}


def _looks(maps: Sequence[Tensor]) -> Tensor:
    """The mean and the spread of every map of every level, each level of length one: what a picture is made of.

    Early maps know noise, blur and foreign textures that the last ones, made to tell names apart, no longer see.
    """
    parts = [part for level in maps for part in (level.mean((2, 3)), (level.var((2, 3), correction=0) + 1e-6).sqrt())]
    return torch.cat([functional.normalize(part.float(), dim=1) for part in parts], 1)


class _Solved(_Labels):
    """A head whose model learns in closed form."""

    def solve(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        self.model.solve((self.pixels(batch["image"]), batch["classes"]) for batch in batches)  # type: ignore[operator]


class _Vector(nn.Module):
    def __init__(self, model: nn.Module, spec: InputSpec, length: int) -> None:
        super().__init__()
        if not getattr(model, "widths", None):
            raise SettingsError("the model gives no map of features to make a vector of; choose one such as 'small'.")
        self.pixels, self.model = Pixels(spec), model
        self.head = nn.Linear(model.widths[-1], length)  # type: ignore[index,arg-type]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = self.model(self.pixels(image))[-1].mean((2, 3))
        return {"vector": functional.normalize(self.head(x), dim=1)}
