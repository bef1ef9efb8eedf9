"""Descent along the gradient, plain or with a memory; `decay` is added to the gradient, as L2 does.

What a signature takes for granted is the optimiser's own usual rate and decay: a run that names none begins with them.
"""

from __future__ import annotations

from typing import Any

from torch import optim

from sightline.optimisers._groups import fused


def sgd(parameters: Any, rate: float = 0.1, decay: float = 5e-4) -> optim.Optimizer:
    """Plain gradient descent."""
    return optim.SGD(parameters, rate, weight_decay=decay, fused=fused(parameters))


def momentum(parameters: Any, rate: float = 0.05, decay: float = 5e-4, *, memory: float = 0.9) -> optim.Optimizer:
    """A heavy ball (Polyak 1964)."""
    return optim.SGD(parameters, rate, memory, weight_decay=decay, fused=fused(parameters))


def nesterov(parameters: Any, rate: float = 0.05, decay: float = 5e-4, *, memory: float = 0.9) -> optim.Optimizer:
    """A heavy ball that looks ahead (Sutskever et al. 2013)."""
    return optim.SGD(parameters, rate, memory, nesterov=True, weight_decay=decay, fused=fused(parameters))
