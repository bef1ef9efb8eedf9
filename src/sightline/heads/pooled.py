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
        if self.head is None:
            pooled = self.pooled(image)
            found = self.answered(pooled)
            kept = functional.normalize(pooled.float(), dim=1) if hasattr(self.model, "pooled") else None
        else:
            maps = self.model(self.pixels(image))
            found, kept = {"logits": self.head(maps[-1].mean((2, 3)))}, None if self.training else _looks(maps)
        return found if self.training or kept is None else {**found, "features": kept}

    def pooled(self, image: Tensor) -> Tensor:
        """What the last layer answers from, a row a picture."""
        x, model = self.pixels(image), self.model
        found: Tensor = getattr(model, "pooled", model)(x) if self.head is None else model(x)[-1].mean((2, 3))
        return found

    def answered(self, pooled: Tensor) -> dict[str, Tensor]:
        """The answer to what was pooled."""
        last = getattr(self.model, "answered", None) if self.head is None else self.head
        return {"logits": pooled if last is None else last(pooled)}


def _looks(maps: Sequence[Tensor]) -> Tensor:
    """The mean and the spread of every map of every level, each level of length one: what a picture is made of.

    Early maps know noise, blur and foreign textures that the last ones, made to tell names apart, no longer see.
    """
    parts = [part for level in maps for part in (level.mean((2, 3)), (level.var((2, 3), correction=0) + 1e-6).sqrt())]
    return torch.cat([functional.normalize(part.float(), dim=1) for part in parts], 1)


class _Solved(_Labels):
    """A head whose model learns in closed form; one that asks for it is told how the pictures are scaled."""

    def __init__(self, model: nn.Module, spec: InputSpec, count: int, dropout: float) -> None:
        super().__init__(model, spec, count, dropout)
        if hasattr(model, "meet"):
            model.meet(spec.mean, spec.std)  # type: ignore[operator]

    def solve(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        def known(batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            image, classes = batch["image"], batch["classes"]
            named = classes >= 0 if classes.ndim == 1 else slice(None)  # where only a parent is known there is no class
            return self.pixels(image[named]), classes[named]

        self.model.solve(map(known, batches))  # type: ignore[operator]


class _Vector(nn.Module):
    def __init__(self, model: nn.Module, spec: InputSpec, length: int) -> None:
        super().__init__()
        if not getattr(model, "widths", None):
            raise SettingsError("the model gives no map of features to make a vector of; choose one such as 'small'.")
        self.pixels, self.model = Pixels(spec), model
        self.head = nn.Linear(model.widths[-1], length)  # type: ignore[index,arg-type]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.answered(self.pooled(image))

    def pooled(self, image: Tensor) -> Tensor:
        """What the last layer answers from, a row a picture."""
        return self.model(self.pixels(image))[-1].mean((2, 3))  # type: ignore[no-any-return]

    def answered(self, pooled: Tensor) -> dict[str, Tensor]:
        """The answer to what was pooled."""
        return {"vector": functional.normalize(self.head(pooled), dim=1)}
