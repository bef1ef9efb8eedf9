"""Heads that answer once a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.heads._pixels import Pixels


def labels(model: nn.Module, spec: InputSpec, count: int, *, dropout: float = 0.0) -> nn.Module:
    """`logits` of `count` names; a model that gives logits already is only fed."""
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
        return {"logits": x if self.head is None else self.head(x[-1].mean((2, 3)))}


class _Solved(_Labels):
    """A head whose model learns in closed form; one that asks for it is told how the pictures are scaled."""

    def __init__(self, model: nn.Module, spec: InputSpec, count: int, dropout: float) -> None:
        super().__init__(model, spec, count, dropout)
        if hasattr(model, "meet"):
            model.meet(spec.mean, spec.std)  # type: ignore[operator]

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
