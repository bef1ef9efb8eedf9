"""What a network makes of a picture on its way: its maps, level by level, and whom its tokens attend to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

# The output of a layer is seen by a hook; what a network applies between its layers is seen as it is called.
_BENT = {"relu", "relu_", "relu6", "silu", "gelu", "tanh", "elu", "leaky_relu", "hardswish", "mish", "selu"}


class Record:
    """Maps (rows, channels, down, across) in the order they were made, and attention (rows, heads, to, from)."""

    def __init__(self, rows: int, size: tuple[int, int]) -> None:
        self.rows, self.size = rows, size
        self.maps: list[Tensor] = []
        self.attention: list[Tensor] = []
        self.named: dict[str, Tensor] = {}

    def keep(self, made: Any) -> None:
        """Whatever of this is a map; lists are looked into."""
        if isinstance(made, (list, tuple)):
            for part in made:
                self.keep(part)
        elif self._is_map(made) and not any(made is known for known in self.maps[-2:]):
            self.maps.append(made)

    def levels(self) -> list[Tensor]:
        """The last map of each size, finest first; the scaled picture itself, which comes first, is none."""
        found: dict[tuple[int, int], Tensor] = {}
        for made in self.maps[1:]:
            size = (made.shape[-2], made.shape[-1])
            found.pop(size, None)
            found[size] = made
        return sorted(found.values(), key=lambda made: -made.shape[-2] * made.shape[-1])

    def _is_map(self, made: Any) -> bool:
        """Has two axes in the proportion of the picture, and is no larger than it."""
        if getattr(made, "ndim", 0) != 4 or made.shape[0] != self.rows or not made.is_floating_point():
            return False
        down, across = made.shape[-2:]
        if min(down, across) < 2 or down > self.size[0] or across > self.size[1]:
            return False
        return bool(abs(down * self.size[1] - across * self.size[0]) <= max(self.size))


@contextmanager
def recording(network: Any, rows: int, size: tuple[int, int]) -> Iterator[Record]:
    """Record what the network does while inside."""
    from torch.overrides import TorchFunctionMode

    record = Record(rows, size)

    class Mode(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            made = func(*args, **kwargs)
            name = getattr(func, "__name__", "")
            if name in _BENT:
                record.keep(made)
            elif name == "scaled_dot_product_attention":
                record.attention.append(_weights(*args, **kwargs))
            elif name == "softmax" and made.ndim == 4 and made.shape[-1] == made.shape[-2]:
                record.attention.append(made)
            return made

    def hook(name: str) -> Any:
        def seen(module: Any, given: Any, made: Any) -> None:
            record.keep(made)
            if getattr(made, "ndim", 0) == 4:
                record.named[name] = made

        return seen

    hooks = [module.register_forward_hook(hook(name)) for name, module in network.named_modules()]
    try:
        with Mode():
            yield record
    finally:
        for each in hooks:
            each.remove()


def _weights(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """What torch's fused attention multiplies the values with."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    asked = (query @ key.transpose(-2, -1)) * scale
    if attn_mask is not None:
        asked = (
            asked.masked_fill(~attn_mask, float("-inf"))
            if attn_mask.dtype.is_floating_point is False
            else asked + attn_mask
        )
    if is_causal:
        future = asked.new_ones(asked.shape[-2:]).triu(1).bool()
        asked = asked.masked_fill(future, float("-inf"))
    return asked.softmax(-1)
