"""How big a network is and how much it computes, counted on a real pass."""

from __future__ import annotations

from typing import Any

from sightline.core.extras import need


def count_parameters(network: Any) -> int:
    """Numbers that learn."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiplications(network: Any, *inputs: Any) -> int:
    """Multiply-accumulate operations of one pass through convolutions and linear layers, by hooks on each."""
    nn = need("torch").nn
    total = 0

    def convolution(module: Any, given: Any, made: Any) -> None:
        nonlocal total
        window = module.kernel_size[0] * module.kernel_size[1] * (module.in_channels // module.groups)
        total += made.numel() * window

    def linear(module: Any, given: Any, made: Any) -> None:
        nonlocal total
        total += made.numel() * module.in_features

    hooks = [
        module.register_forward_hook(convolution if isinstance(module, nn.Conv2d) else linear)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    try:
        network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return total
