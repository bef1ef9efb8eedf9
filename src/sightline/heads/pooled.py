"""Heads that answer once a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.heads._pixels import Pixels
from sightline.heads._pooling import only_pooled


def labels(model: nn.Module, spec: InputSpec, count: int, *, dropout: float = 0.0, mirror: bool = False) -> nn.Module:
    """`logits` of `count` names, and `features` that tell an unlike picture; a model that gives logits is only fed.

    With `mirror` what was learnt answers from the picture and its mirror image together, two pixels apart both ways:
    pooling then divides them otherwise (two runs on CIFAR-10: as good as ten views, .3 and .5 points better).
    """
    kind = _Solved if hasattr(model, "solve") else _Labels
    return kind(model, spec, count, dropout, mirror)


def vector(model: nn.Module, spec: InputSpec, length: int) -> nn.Module:
    """`vector` of unit length."""
    return _Vector(model, spec, length)


class _Labels(nn.Module):
    def __init__(self, model: nn.Module, spec: InputSpec, count: int, dropout: float, mirror: bool) -> None:
        super().__init__()
        self.pixels, self.model, self.mirror = Pixels(spec), only_pooled(model), mirror
        widths = getattr(model, "widths", None)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(widths[-1], count)) if widths else None

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        pooled, maps = self._seen(image)
        found = self.answered(pooled)
        if self.training or not (maps or hasattr(self.model, "pooled")):
            return found
        return {**found, "features": _looks(maps) if maps else functional.normalize(pooled.float(), dim=1)}

    def pooled(self, image: Tensor) -> Tensor:
        """What the last layer answers from, a row a picture."""
        return self._seen(image)[0]

    def _seen(self, image: Tensor) -> tuple[Tensor, Sequence[Tensor]]:
        """What was pooled, and the maps that it was pooled from; those of the first view are made last."""
        first, *more = self.views(image)
        others = [self._looked(view)[0] for view in more]
        pooled, maps = self._looked(first)
        return (sum(others, pooled) / (1 + len(others)) if others else pooled), maps

    def views(self, image: Tensor) -> tuple[Tensor, ...]:
        """The picture; or, where it is asked for, the picture moved by a pixel and its mirror image moved back."""
        x = self.pixels(image)
        if not self.mirror or self.training:
            return (x,)
        around = functional.pad(x, (1, 1, 1, 1), "replicate")
        return around[..., 2:, 2:], around[..., :-2, :-2].flip(-1)

    def _looked(self, x: Tensor) -> tuple[Tensor, Sequence[Tensor]]:
        if self.head is None:
            return getattr(self.model, "pooled", self.model)(x), ()
        maps = self.model(x)
        return maps[-1].mean((2, 3)), maps

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

    def __init__(self, model: nn.Module, spec: InputSpec, count: int, dropout: float, mirror: bool) -> None:
        super().__init__(model, spec, count, dropout, mirror)
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
        self.pixels, self.model = Pixels(spec), only_pooled(model)
        self.head = nn.Linear(model.widths[-1], length)  # type: ignore[index,arg-type]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.answered(self.pooled(image))

    def pooled(self, image: Tensor) -> Tensor:
        """What the last layer answers from, a row a picture."""
        return self.model(self.pixels(image))[-1].mean((2, 3))  # type: ignore[no-any-return]

    def answered(self, pooled: Tensor) -> dict[str, Tensor]:
        """The answer to what was pooled."""
        return {"vector": functional.normalize(self.head(pooled), dim=1)}
