"""Maps from attention: whom the tokens look at, followed through all layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sightline.core.errors import SettingsError
from sightline.explaining.cams import grown
from sightline.explaining.recorder import recording
from sightline.explaining.subject import View

if TYPE_CHECKING:
    from torch import Tensor


def rollout(view: View) -> np.ndarray:
    """Attention of all layers multiplied, each token also keeping itself (Abnar and Zuidema 2020)."""
    import torch

    network = view.subject.network
    with torch.no_grad(), recording(network, len(view), view.size) as record:
        network(**{name: given.detach() for name, given in view.tensors().items()})
    seen = [given for given in record.attention if len(given) == len(view)]
    if not record.attention:
        raise SettingsError("the network has no attention to follow; ask with another method, such as 'gradcam'.")
    if not seen:
        raise SettingsError("the network attends within windows, which cannot be followed; use another method.")
    groups: list[list[Tensor]] = []
    for given in seen:
        if not groups or groups[-1][0].shape[-1] != given.shape[-1]:
            groups.append([])
        groups[-1].append(given)
    weight: Tensor | None = None
    for group in reversed(groups):
        weight = _through(group, weight, view.size)
    assert weight is not None
    return grown(weight, view.size)


def rolled(layers: list[Tensor]) -> Tensor:
    """The product of layers of attention (rows, heads, to, from), the first layer first."""
    import torch

    product: Tensor | None = None
    for layer in layers:
        mixed = layer.mean(1)
        mixed = (mixed + torch.eye(mixed.shape[-1])) / 2
        product = mixed if product is None else mixed @ product
    assert product is not None
    return product


def _through(layers: list[Tensor], weight: Tensor | None, size: tuple[int, int]) -> Tensor:
    """How much each place before these layers counts, given how much each place after them does."""
    from torch.nn import functional

    product = rolled(layers)
    before, down, across = grid(product.shape[-1], size)
    rows = len(product)
    if weight is not None:
        coarse = functional.interpolate(weight[:, None], (down, across), mode="bilinear", align_corners=False)
        asked = functional.pad(coarse.reshape(rows, -1), (before, 0))
        found = (asked[:, None] @ product)[:, 0]
    elif before:
        found = product[:, 0]  # the class token comes first, and answers
    else:
        found = product.mean(1)  # the answer comes from the mean of all tokens
    return found[:, before:].reshape(rows, down, across)


def grid(tokens: int, size: tuple[int, int]) -> tuple[int, int, int]:
    """Tokens that stand before the picture's own, and how many of those there are down and across."""
    for before in range(9):
        down = round(math.sqrt((tokens - before) * size[0] / size[1])) if tokens > before else 0
        if down and (tokens - before) % down == 0:
            across = (tokens - before) // down
            if abs(down * size[1] - across * size[0]) <= max(size):
                return before, down, across
    raise SettingsError(f"{tokens} tokens do not lie on a grid over {size[0]} x {size[1]} pixels.")
