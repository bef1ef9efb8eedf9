"""Heads of models that learn from rows of numbers: hand-made features, or what another network makes of a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.core.vectors import Block, blocks
from sightline.heads._pixels import Pixels

WORDS, LOOKED, ROUNDS = 128, 1000, 12  # of a vocabulary: how many, from how many pictures, in how many rounds

Build = Callable[..., nn.Module]  # of a model that takes features


def described(build: Build, spec: InputSpec, count: int, *, keep: int | str | None = None) -> nn.Module:
    """`logits` of `count` names from the features that the input spec names."""
    return _Described(build, blocks(spec.features, spec.channels), count, keep)


def embedded(
    build: Build, spec: InputSpec, count: int, backbone: nn.Module, *, keep: int | str | None = None
) -> nn.Module:
    """`logits` of `count` names from what a finished network makes of the picture; the network stays as it is."""
    return _Embedded(build, spec, count, backbone, keep)


class _Described(nn.Module):
    def __init__(self, build: Build, parts: Sequence[Block], count: int, keep: int | str | None) -> None:
        super().__init__()
        self.lengths = [part.length for part in parts]
        self.parts = nn.ModuleList(_Words(part.shape) if len(part.shape) == 2 else nn.Identity() for part in parts)
        whole = [part.length if len(part.shape) == 1 else WORDS * len(_QUARTERS) for part in parts]
        self.model = build(whole, count, keep=keep)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        return {"logits": self.model(self.rows(features))}

    def rows(self, features: Tensor) -> Tensor:
        """What the model sees: local descriptors have become counted words."""
        pieces = torch.split(features, self.lengths, dim=1)
        return torch.cat([part(piece) for part, piece in zip(self.parts, pieces, strict=True)], 1)

    @torch.no_grad()
    def solve(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """Learn the words of local descriptors, where there are any, and then the model."""
        rest = iter(batches)
        begun: list[Mapping[str, Tensor]] = []
        if any(isinstance(part, _Words) for part in self.parts):
            while sum(len(batch["features"]) for batch in begun) < LOOKED and (batch := next(rest, None)) is not None:
                begun.append(batch)
            if begun:
                looked = torch.split(torch.cat([batch["features"] for batch in begun]), self.lengths, dim=1)
                for part, piece in zip(self.parts, looked, strict=True):
                    if isinstance(part, _Words):
                        part.learn(piece)
        pairs = ((self.rows(batch["features"]), batch["classes"]) for batch in chain(begun, rest))
        self.model.solve(pairs)  # type: ignore[operator]


_QUARTERS = ((0, 2, 0, 2), (0, 1, 0, 1), (0, 1, 1, 2), (1, 2, 0, 1), (1, 2, 1, 2))  # in halves; the first is the whole


class _Words(nn.Module):
    """(n, count * width) of descriptors on a square grid to shares of words, of the whole and of each quarter."""

    words: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.count, self.width = shape
        self.side = round(self.count**0.5)
        self.register_buffer("words", torch.zeros(WORDS, self.width))

    def forward(self, x: Tensor) -> Tensor:
        near = self._nearest(x.reshape(-1, self.width))
        named = functional.one_hot(near, WORDS).float().reshape(-1, self.side, self.side, WORDS)
        half = self.side / 2
        parts = []
        for top, bottom, left, right in _QUARTERS:
            part = named[:, round(top * half) : round(bottom * half), round(left * half) : round(right * half)]
            parts.append(part.mean((1, 2)))
        return torch.cat(parts, 1).sqrt()

    def _nearest(self, x: Tensor) -> Tensor:
        return (x @ self.words.T - (self.words * self.words).sum(1) / 2).argmax(1)

    def learn(self, x: Tensor) -> None:
        """Lloyd's rounds from descriptors drawn by chance."""
        x = x.reshape(-1, self.width)
        chance = torch.Generator().manual_seed(0)
        x = x[torch.randperm(len(x), generator=chance)[: 200 * WORDS].to(x.device)]
        self.words.copy_(x[torch.arange(WORDS) % len(x)])
        for _ in range(ROUNDS):
            named = functional.one_hot(self._nearest(x), WORDS).float()
            sizes = named.sum(0)
            self.words.copy_(torch.where((sizes > 0)[:, None], (named.T @ x) / sizes.clamp(min=1)[:, None], self.words))


class _Embedded(nn.Module):
    def __init__(self, build: Build, spec: InputSpec, count: int, backbone: nn.Module, keep: int | str | None) -> None:
        super().__init__()
        self.pixels, self.backbone = Pixels(spec), backbone.eval().requires_grad_(False)
        with torch.no_grad():
            raw = torch.from_numpy(spec.example())
            self.model = build([self.embed(raw).shape[1]], count, keep=keep)

    def train(self, mode: bool = True) -> _Embedded:
        super().train(mode)
        self.backbone.eval()  # it never learns, nor do its running means
        return self

    def embed(self, image: Tensor) -> Tensor:
        """The mean of the last map, or what comes just before the names."""
        x = self.pixels(image)
        parts = list(self.backbone) if isinstance(self.backbone, nn.Sequential) else [self.backbone]
        last: Any = parts[-1]
        if hasattr(last, "forward_head"):  # an architecture of timm, behind what scales its pictures
            for part in parts[:-1]:
                x = part(x)
            return last.forward_head(last.forward_features(x), pre_logits=True)  # type: ignore[no-any-return]
        made = self.backbone(x)
        made = made[-1] if isinstance(made, list | tuple) else made
        if made.ndim not in (2, 4):
            raise SettingsError("features: this network gives neither maps nor vectors to learn from.")
        return made.mean((2, 3)) if made.ndim == 4 else made  # type: ignore[no-any-return]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"logits": self.model(self.embed(image))}

    @torch.no_grad()
    def solve(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """One pass of the network over the pictures, and then the model."""
        self.model.solve(self._rows(batches))  # type: ignore[operator]

    def _rows(self, batches: Iterable[Mapping[str, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches:
            yield self.embed(batch["image"]), batch["classes"]
