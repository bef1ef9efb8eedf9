"""A network that feels eight bits while it learns: rounded on the way forward, as if it were not on the way back.

Norms stand with the statistics they have, so each is one factor and one number a channel. Weights are rounded a channel
at a time, which a factor a channel does not change: rounding before the norm is folded in, or after, is the same.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 255
FOLLOW = 0.02  # how fast the ends follow what is seen
LAYERS = (nn.Conv2d, nn.Linear)


class Ends(nn.Module):
    """Rounds to 256 levels between two ends that follow what passes while it learns."""

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("low", "high", "seen"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self._follow(x.detach().float())
        step = ((self.high - self.low) / LEVELS).clamp(min=1e-8)
        zero = (-self.low / step).round().clamp(0, LEVELS).to(torch.int32)
        made: Tensor = torch.fake_quantize_per_tensor_affine(x.float(), step, zero, 0, LEVELS)
        return made.to(x.dtype)

    @torch.no_grad()
    def _follow(self, x: Tensor) -> None:
        share = FOLLOW if self.seen else 1.0
        self.low += share * (x.amin().clamp(max=0) - self.low)
        self.high += share * (x.amax().clamp(min=0) - self.high)
        self.seen.fill_(1.0)


class Felt(nn.Module):
    """A convolution or a matrix whose weights and inputs are rounded."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.ends = layer, Ends()

    def forward(self, x: Tensor) -> Tensor:
        x = self.ends(x)
        layer: Any = self.layer
        weight = rounded(layer.weight)
        if isinstance(layer, nn.Conv2d):
            made: Tensor = layer._conv_forward(x, weight, layer.bias)
            return made
        return functional.linear(x, weight, layer.bias)


class Standing(nn.Module):
    """A norm with the statistics it has: one factor and one number a channel, which learn; its answer is rounded."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        scale, shift = standing(norm)
        self.scale, self.shift, self.ends = nn.Parameter(scale), nn.Parameter(shift), Ends()
        self.scale.requires_grad_(norm.affine)
        self.shift.requires_grad_(norm.affine)

    def forward(self, x: Tensor) -> Tensor:
        return self.ends(x * self.scale[:, None, None] + self.shift[:, None, None])  # type: ignore[no-any-return]


def standing(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What a norm multiplies by and adds, by its running statistics."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    gain = norm.weight.detach() if norm.affine else torch.ones_like(mean)
    offset = norm.bias.detach() if norm.affine else torch.zeros_like(mean)
    scale = gain / (variance + norm.eps).sqrt()
    return scale, offset - mean * scale


def rounded(weight: Tensor) -> Tensor:
    """Weights on 255 levels a channel, as many below zero as above."""
    most = weight.detach().flatten(1).abs().amax(1).clamp(min=1e-8)
    zero = torch.zeros(len(weight), dtype=torch.int32, device=weight.device)
    made: Tensor = torch.fake_quantize_per_channel_affine(weight, most / 127, zero, 0, -127, 127)
    return made


def feeling(network: nn.Module) -> nn.Module:
    """A copy whose every convolution, matrix and norm feels the rounding."""
    made = copy.deepcopy(network)
    for parent, name, child in list(_children(made)):
        if isinstance(child, LAYERS):
            setattr(parent, name, Felt(child))
        elif isinstance(child, nn.BatchNorm2d) and child.track_running_stats:
            setattr(parent, name, Standing(child))
    return made


@torch.no_grad()
def unfelt(network: nn.Module, felt: nn.Module) -> nn.Module:
    """A copy of the plain network with what the feeling one has learnt."""
    made = copy.deepcopy(network)
    for parent, name, child in list(_children(made)):
        place = ".".join(filter(None, (_path(made, parent), name)))
        if isinstance(child, LAYERS):
            layer: Any = felt.get_submodule(place).layer
            setattr(parent, name, copy.deepcopy(layer))
        elif isinstance(child, nn.BatchNorm2d) and child.track_running_stats and child.affine:
            stood: Any = felt.get_submodule(place)
            mean, variance = child.running_mean, child.running_var
            assert mean is not None
            assert variance is not None
            child.weight.copy_(stood.scale * (variance + child.eps).sqrt())
            child.bias.copy_(stood.shift + mean * stood.scale)
    return made.eval()


def _children(network: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            yield parent, name, child


def _path(network: nn.Module, wanted: nn.Module) -> str:
    return str(next(name for name, module in network.named_modules() if module is wanted))
