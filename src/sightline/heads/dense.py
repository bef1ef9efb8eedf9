"""Heads that answer everywhere in a picture."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.heads._pixels import TOP, Pixels


def boxes(model: nn.Module, spec: InputSpec, count: int, *, width: int = 64) -> nn.Module:
    """One box and `count` scores a point: `boxes` in input pixels, `logits`, over the levels at strides 8 and 16."""
    return _Boxes(model, spec, count, width)


def picture(model: nn.Module, spec: InputSpec, *, scale: int = 1, masked: bool = False) -> nn.Module:
    """`picture` in 0..1, channels last, `scale` times as large: the input, enlarged smoothly, plus what the model adds.

    `masked`: the last channel says what is known (1) and what is missing (0), and only the missing is changed.
    """
    return _Picture(model, spec, scale, masked)


def velocity(model: nn.Module, spec: InputSpec) -> nn.Module:
    """`velocity` of a noisy `picture` (float32, channels last, about -1..1) at a `time` in 0..1."""
    return _Velocity(model)


class _Boxes(nn.Module):
    """Points without anchors (Tian et al. 2019, FCOS) on two levels, the coarser one passed down."""

    levels = (1, 2)

    def __init__(self, model: Any, spec: InputSpec, count: int, width: int) -> None:
        super().__init__()
        maps = len(getattr(model, "widths", ()))
        if maps <= max(*self.levels, 3):
            given = f"{maps} map{'' if maps == 1 else 's'} of features"
            raise SettingsError(f"the model gives {given}; boxes need four, as the model 'small' gives them.")
        self.pixels, self.model = Pixels(spec), model
        self.strides = tuple(model.strides[level] for level in self.levels)
        self.narrow = nn.ModuleList(nn.Conv2d(model.widths[level], width, 1) for level in (*self.levels, 3))
        self.tower = nn.Sequential(_layer(width), _layer(width))
        self.logits = nn.Conv2d(width, count, 3, 1, 1)
        self.sides = nn.Conv2d(width, 4, 3, 1, 1)
        nn.init.constant_(self.logits.bias, -math.log(99))  # type: ignore[arg-type]  # Lin et al. 2017: p = .01

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        maps = self.model(self.pixels(image))
        x = self.narrow[-1](maps[3])
        answers = []
        for place in reversed(range(len(self.levels))):
            finer = self.narrow[place](maps[self.levels[place]])
            x = finer + functional.interpolate(x, size=finer.shape[-2:], mode="nearest")
            answers.append(self._level(self.tower(x), self.strides[place]))
        answers.reverse()
        return {
            "boxes": torch.cat([box for box, _ in answers], 1),
            "logits": torch.cat([logit for _, logit in answers], 1),
        }

    def _level(self, x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
        rows, columns = x.shape[-2:]
        across = (torch.arange(columns, device=x.device) + 0.5) * stride
        down = (torch.arange(rows, device=x.device) + 0.5) * stride
        centres = torch.stack([across.repeat(rows), down.repeat_interleave(columns)], 1)
        sides = functional.softplus(self.sides(x).float()).flatten(2).transpose(1, 2) * (2 * stride)
        box = torch.cat([centres - sides[..., :2], centres + sides[..., 2:]], -1)
        return box, self.logits(x).flatten(2).transpose(1, 2)


class _Picture(nn.Module):
    def __init__(self, model: nn.Module, spec: InputSpec, scale: int, masked: bool) -> None:
        super().__init__()
        self.pixels, self.model, self.top = Pixels(spec), model, TOP[spec.dtype]
        self.scale, self.masked = scale, masked

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        added = self.model(self.pixels(image)).movedim(1, -1).float()
        given = image.to(torch.float32) / self.top
        if self.masked:
            return {"picture": given[..., :-1] + added[..., :-1] * (1 - given[..., -1:])}
        if self.scale > 1:
            rows, columns = image.shape[1] * self.scale, image.shape[2] * self.scale
            larger = functional.interpolate(given.movedim(-1, 1), size=(rows, columns), mode="bilinear")
            given = larger.movedim(1, -1)
        return {"picture": given + added}


class _Velocity(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, picture: Tensor, time: Tensor) -> dict[str, Tensor]:
        return {"velocity": self.model(picture.movedim(-1, 1), time).movedim(1, -1)}


def _layer(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.SiLU(inplace=True))
