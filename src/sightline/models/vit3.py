"""ViT3: instead of attending, every layer trains two tiny networks on the picture's own tokens, in one step.

Han et al. (2026): keys are the inputs, values the targets. One full-batch gradient step with rate 1 on the loss
-<answer, value> / tokens / 3 trains, for each head, a gated linear map  (k W1) * SiLU(k W2),  and on one more head a
3 x 3 depthwise convolution; queries are then answered by the trained ones. Both gradients are in closed form, so an
ordinary pass trains and asks, and the cost grows with the number of tokens, not with its square.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._columns import DEPTH, WIDTHS, Columns, Grid, as_map, joined, parted
from sightline.models._layers import Whole
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "large pictures: linear where attention is quadratic; wants much data"
HEADS = {"t": 6, "s": 6, "b": 12}
DROPS = {"t": 0.0, "s": 0.1, "b": 0.4}
SCALE = 9**-0.5
VARIANTS = {"t": 5_971_008, "s": 23_443_584, "b": 89_345_280, "t/4": 5_807_424}
PARAMETERS = 5_971_008
COST = 99_090_432  # multiplications of one picture of 64 x 64 x 3
SHALLOW = {"depth": 2}  # enough to try an export with: every block is like the others


def build(channels: int = 3, *, size: str = "t", depth: int = DEPTH, drop: float | None = None) -> nn.Module:
    """One level at the stride of the patches: 16, or 4 for `t/4`, which is for pictures of about 32 pixels."""
    heads, usual = HEADS[size[0]], DROPS[size[0]]
    return Columns(channels, size, lambda width: Trained(width, heads), depth, usual if drop is None else drop)


def variant(size: str) -> Variant:
    """`vit3:s` and so on."""
    return sized("vit3", build, VARIANTS, size, GIVES)


def published(size: str = "t", classes: int = 1000) -> nn.Module:
    """With the linear classifier of the paper, for its counts."""
    return Whole(build(size=size), nn.Linear(WIDTHS[size[0]], classes))


class Trained(nn.Module):
    """The mixer: two inner networks, trained on keys and values, asked with queries."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.inner = heads, width // heads
        self.enter = nn.Linear(width, 3 * width + 3 * self.inner)
        self.linear = nn.Parameter(torch.empty(heads, self.inner, self.inner))
        self.gate = nn.Parameter(torch.empty(heads, self.inner, self.inner))
        self.kernel = nn.Parameter(torch.empty(self.inner, 9))
        self.leave = nn.Linear(width + self.inner, width)
        for weight in (self.linear, self.gate, self.kernel):
            nn.init.trunc_normal_(weight, std=0.02)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        wide = self.leave.out_features
        entered = self.enter(x).split([wide] * 3 + [self.inner] * 3, 2)
        query, key, value = (parted(part, self.heads) for part in entered[:3])
        linear, gate = trained_gate(key, value, self.linear, self.gate)
        gated = (query @ linear) * functional.silu(query @ gate)
        ask, learn, wanted = (as_map(part, grid) for part in entered[3:])
        kernel = trained_kernel(learn, wanted, self.kernel)
        seen = (_near(ask) * kernel[..., None]).sum(2).transpose(1, 2)
        return self.leave(torch.cat([joined(gated), seen], 2))  # type: ignore[no-any-return]


def gradients_of_gate(key: Tensor, value: Tensor, linear: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    """Of -<(k W1) * SiLU(k W2), v> SCALE / tokens with respect to W1 and W2, for each row and head."""
    one, two = key @ linear, key @ gate
    share = torch.sigmoid(two)
    error = value * (-SCALE / value.shape[2])
    across = key.transpose(-2, -1)
    return across @ (error * two * share), across @ (error * one * share * (1 + two * (1 - share)))


def trained_gate(key: Tensor, value: Tensor, linear: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    """Both weights after one step; each column's gradient is softly held below length one."""
    first, second = gradients_of_gate(key, value, linear, gate)
    first = first / (first.norm(dim=-2, keepdim=True) + 1)
    second = second / (second.norm(dim=-2, keepdim=True) + 1)
    return linear - first, gate - second


def gradient_of_kernel(key: Tensor, value: Tensor) -> Tensor:
    """Of -<conv(k), v> SCALE / places with respect to a depthwise 3 x 3 kernel: nine shifted products."""
    error = value.flatten(2) * (-SCALE / (value.shape[2] * value.shape[3]))
    return (_near(key) * error[:, :, None]).sum(3)


def trained_kernel(key: Tensor, value: Tensor, kernel: Tensor) -> Tensor:
    """(rows, channels, 9) after one step, softly held below length one."""
    slope = gradient_of_kernel(key, value)
    return kernel - slope / (slope.norm(dim=-1, keepdim=True) + 1)  # type: ignore[no-any-return]


def _near(x: Tensor) -> Tensor:
    """(rows, channels, 9, places): the neighbours of every place, row by row, zero beyond the border."""
    return functional.unfold(x, 3, padding=1).reshape(*x.shape[:2], 9, -1)
