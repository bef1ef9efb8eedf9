"""Steps of equal strength in every direction that a layer can turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, optim

from sightline.optimisers._groups import flat
from sightline.optimisers._turning import orthogonal, turns

STRENGTH = 0.2  # of a step's numbers, about as those of Adam: one rate suits both kinds of layers (Liu et al. 2025)


def muon(
    parameters: Any, rate: float = 4e-3, decay: float = 0.02, *, memory: float = 0.95, steps: int = 5
) -> optim.Optimizer:
    """Jordan (2024): the remembered gradient of a matrix or convolution, made orthogonal; AdamW for all the rest.

    The rest are norms and biases, filters that see one channel alone, and groups marked `last`: the layer that answers.
    """
    return Muon(parameters, rate, decay, memory, steps)


class Muon(optim.Optimizer):
    """Decay is apart from the gradient for all."""

    def __init__(self, parameters: Any, rate: float, decay: float, memory: float, steps: int) -> None:
        usual = {"lr": rate, "weight_decay": decay, "memory": memory, "steps": steps, "last": False}
        super().__init__(parameters if isinstance(parameters, list) else list(flat(parameters)), usual)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of every weight that has a gradient."""
        with torch.enable_grad():
            lost = closure() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    move = _adam if group["last"] or not turns(weight) else _turned
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    move(weight, weight.grad, self.state[weight], group)
        return lost


def _turned(weight: Tensor, slope: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    if not state:
        state["memory"] = torch.zeros_like(slope)
    kept = state["memory"].lerp_(slope, 1 - group["memory"])
    ahead = slope.lerp(kept, group["memory"]).flatten(1)
    way = orthogonal(ahead.float(), group["steps"])
    length = STRENGTH * max(ahead.shape) ** 0.5
    weight.sub_(way.reshape(weight.shape).to(weight.dtype), alpha=group["lr"] * length)


def _adam(weight: Tensor, slope: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    if not state:
        state |= {"step": torch.tensor(0.0), "mean": torch.zeros_like(slope), "square": torch.zeros_like(slope)}
    time = float(state["step"].add_(1))
    mean = state["mean"].lerp_(slope, 0.1)
    square = state["square"].mul_(0.999).addcmul_(slope, slope, value=0.001)
    spread = (square / (1 - 0.999**time)).sqrt_().add_(1e-8)
    weight.addcdiv_(mean, spread, value=-group["lr"] / (1 - 0.9**time))
