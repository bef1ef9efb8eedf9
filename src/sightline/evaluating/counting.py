"""How big a network is and how much it computes, counted on a real pass."""

from __future__ import annotations

from typing import Any

from sightline.core.extras import need


def count_parameters(network: Any) -> int:
    """Numbers that learn."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiplications(network: Any, *inputs: Any) -> int:
    """Multiply-accumulate operations of one pass: every convolution and matrix product, whoever calls it."""
    torch = need("torch")
    counter = need("torch.utils.flop_counter").FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(*inputs)
    return int(counter.get_total_flops()) // 2  # a product and a sum each
