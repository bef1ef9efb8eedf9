"""Each weight at a step of its own, by how large its gradients have been.

What a signature takes for granted is the optimiser's own usual rate and decay: a run that names none begins with them.
"""

from __future__ import annotations

from typing import Any

from torch import optim

from sightline.optimisers._groups import fused


def adam(parameters: Any, rate: float = 2e-3, decay: float = 1e-4) -> optim.Optimizer:
    """Kingma and Ba (2015); decay is added to the gradient."""
    return optim.Adam(parameters, rate, weight_decay=decay, fused=fused(parameters))


def adamw(parameters: Any, rate: float = 2e-3, decay: float = 0.02) -> optim.Optimizer:
    """Loshchilov and Hutter (2019); decay apart from the gradient."""
    return optim.AdamW(parameters, rate, weight_decay=decay, fused=fused(parameters))


def nadam(parameters: Any, rate: float = 2e-3, decay: float = 0.02) -> optim.Optimizer:
    """Dozat (2016): Adam that looks ahead; decay apart from the gradient."""
    return optim.NAdam(parameters, rate, weight_decay=decay, decoupled_weight_decay=True)


def adamax(parameters: Any, rate: float = 4e-3, decay: float = 1e-4) -> optim.Optimizer:
    """Kingma and Ba (2015), section 7: by the largest gradient, not the mean; decay is added to the gradient."""
    return optim.Adamax(parameters, rate, weight_decay=decay)


def rmsprop(parameters: Any, rate: float = 1e-3, decay: float = 1e-4) -> optim.Optimizer:
    """Tieleman and Hinton (2012); decay is added to the gradient."""
    return optim.RMSprop(parameters, rate, weight_decay=decay)


def adagrad(parameters: Any, rate: float = 0.02, decay: float = 1e-4) -> optim.Optimizer:
    """Duchi et al. (2011); decay is added to the gradient."""
    return optim.Adagrad(parameters, rate, weight_decay=decay, fused=fused(parameters))


def adadelta(parameters: Any, rate: float = 1.0, decay: float = 1e-4) -> optim.Optimizer:
    """Zeiler (2012): its steps have a length of their own, so the rate is a factor; decay is added to the gradient."""
    return optim.Adadelta(parameters, rate, weight_decay=decay)
