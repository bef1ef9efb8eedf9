"""What the contract wants to know of a loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """How to draw arguments, the arguments of a perfect answer with its value, and the value worked out another way."""

    draw: Callable[[torch.Generator], Arguments]
    perfect: Callable[[Arguments], tuple[Arguments, float]]
    oracle: Callable[..., float]  # takes the same arguments as numpy arrays
    learnt: tuple[str, ...]  # which of them a network gives
    scale: float = 1.0  # of a large mistake
    fixed_weights: bool = False  # it weighs by numbers through which no gradient flows
