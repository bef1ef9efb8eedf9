"""Optimisers of torch under one signature: groups of parameters, a rate, a decay."""

from __future__ import annotations

from typing import Any

from torch import optim


def sgd(parameters: Any, rate: float, decay: float) -> optim.Optimizer:
    """Plain gradient descent."""
    return optim.SGD(parameters, rate, weight_decay=decay)


def momentum(parameters: Any, rate: float, decay: float, *, momentum: float = 0.9) -> optim.Optimizer:
    """Gradient descent with Nesterov momentum."""
    return optim.SGD(parameters, rate, momentum=momentum, nesterov=True, weight_decay=decay)


def adam(parameters: Any, rate: float, decay: float) -> optim.Optimizer:
    """Kingma and Ba (2015); decay is added to the gradient."""
    return optim.Adam(parameters, rate, weight_decay=decay)


def adamw(parameters: Any, rate: float, decay: float) -> optim.Optimizer:
    """Loshchilov and Hutter (2019); decay apart from the gradient."""
    return optim.AdamW(parameters, rate, weight_decay=decay)


def rmsprop(parameters: Any, rate: float, decay: float) -> optim.Optimizer:
    """Tieleman and Hinton (2012)."""
    return optim.RMSprop(parameters, rate, weight_decay=decay)
