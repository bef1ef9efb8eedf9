"""Sizes of a model, asked for as `name:size`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import nn

from sightline.core.errors import UnknownNameError, nearest


@dataclass(frozen=True)
class Variant:
    """What the catalog gives for `name:size`: the things that a module of models says of itself."""

    build: Callable[..., nn.Module]
    PARAMETERS: int | None  # None: known once it is built
    GIVES: str = "pyramid"
    TAKES: str = "pictures"
    ALONE: str = ""  # the variant to build once there are weights, where this one stands on what may be gone by then


def sized(name: str, build: Callable[..., nn.Module], counts: Mapping[str, int], size: str, gives: str) -> Variant:
    """The variant of this size, or one line that lists the sizes there are."""
    if size not in counts:
        raise UnknownNameError(
            f"model '{name}' has no size '{size}'.{nearest(size, counts)} "
            f"Known: {', '.join(f'{name}:{known}' for known in counts)}."
        )
    return Variant(partial(build, size=size), counts[size], gives)
