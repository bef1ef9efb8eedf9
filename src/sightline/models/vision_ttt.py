"""Vision-TTT: each layer's state is a small network that keeps learning while it reads the picture's tokens.

Kong et al. (2026), after Sun et al. (2024): the state maps a key to its value by f(k) = k + LN(k W + b), is trained
token by token with the gradient of |f(k) - v|^2 / 2, and answers a query with what it knows by then. Tokens are read
forwards and backwards, as two data sets with states of their own, after 3 x 3 depthwise convolutions. They go in small
batches whose gradients are all taken at the batch's start; so the states inside a batch need not be made (`dual`),
though `primal` makes them, and both answer alike.

The paper's code is not public; what the papers leave open is settled so that its published costs are met.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._columns import DEPTH, WIDTHS, Columns, Grid, as_map, joined, parted
from sightline.models._layers import Whole
from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "large pictures: linear where attention is quadratic; steps in turn, so vit3 is the faster of the two"
INNER = 64  # width of a head, and of the key that its state learns from
DROPS = {"t": 0.0, "s": 0.1, "b": 0.4}
VARIANTS = {"t": 6_353_928, "s": 24_236_688, "b": 94_589_856, "t/4": 6_190_344}
PARAMETERS = 6_353_928
COST = 112_103_424  # multiplications of one picture of 64 x 64 x 3
SHALLOW = {"depth": 2}  # enough to try an export with: every block is like the others


def build(
    channels: int = 3, *, size: str = "t", batch: int = 32, depth: int = DEPTH, drop: float | None = None
) -> nn.Module:
    """One level at the stride of the patches: 16, or 4 for `t/4`; `batch` tokens are learnt from at a time."""
    usual = DROPS[size[0]]
    return Columns(channels, size, lambda width: Learning(width, batch), depth, usual if drop is None else drop)


def variant(size: str) -> Variant:
    """`vision_ttt:s` and so on."""
    return sized("vision_ttt", build, VARIANTS, size, GIVES)


def published(size: str = "t", classes: int = 1000) -> nn.Module:
    """With a linear classifier, for its counts."""
    return Whole(build(size=size), nn.Linear(WIDTHS[size[0]], classes))


class Learning(nn.Module):
    """The mixer: two states a head, one for each direction of reading."""

    def __init__(self, width: int, batch: int, rate: float = 1.0) -> None:
        super().__init__()
        heads = width // INNER
        self.heads, self.batch, self.rate = heads, batch, rate
        self.enter = nn.Linear(width, 4 * width, bias=False)  # query, key, value, and the gate of the answer
        self.near = nn.Conv2d(3 * width, 3 * width, 3, 1, 1, groups=3 * width)
        self.pace = nn.Linear(width, 2 * heads)
        self.later = nn.Parameter(torch.zeros(batch))
        self.weight = nn.Parameter(torch.randn(2 * heads, INNER, INNER) * 0.02)
        self.bias = nn.Parameter(torch.zeros(2 * heads, 1, INNER))
        self.scale, self.shift = (nn.Parameter(made(2 * heads, 1, INNER)) for made in (torch.ones, torch.zeros))
        self.norm = nn.LayerNorm(width, 1e-6)
        self.leave = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        width = self.leave.in_features
        entered, gate = self.enter(x).split([3 * width, width], 2)
        entered = self.near(as_map(entered, grid)).flatten(2).transpose(1, 2)
        query, key, value = (_both(parted(part, self.heads)) for part in entered.chunk(3, 2))
        pace = self.pace(x).sigmoid() * (self.rate / INNER)
        pace = torch.cat([pace[..., : self.heads], pace[..., self.heads :].flip(1)], 2).transpose(1, 2)
        state: State = (self.weight, self.bias)
        read = []
        for start in range(0, query.shape[2], self.batch):
            part = slice(start, start + self.batch)
            steps = self._steps(pace[:, :, part])
            made, state = dual(query[:, :, part], key[:, :, part], value[:, :, part], steps, state, self._affine)
            read.append(made)
        forwards, backwards = torch.cat(read, 2).chunk(2, 1)
        answer = self.norm(joined(forwards + backwards.flip(2)))
        return self.leave(functional.gelu(gate) * answer)  # type: ignore[no-any-return]

    def _steps(self, pace: Tensor) -> Tensor:
        """How far the gradient of token s has moved the state when token t asks: (.., t, s), zero for the future."""
        count = pace.shape[2]
        place = torch.arange(1, count + 1, device=pace.device, dtype=pace.dtype)
        patience = (1 / place + self.later[:count]).clamp(min=0)
        return torch.tril(patience[:, None] * pace[:, :, None, :])

    @property
    def _affine(self) -> tuple[Tensor, Tensor]:
        return self.scale, self.shift


State = tuple[Tensor, Tensor]


def slope(key: Tensor, value: Tensor, state: State, affine: tuple[Tensor, Tensor]) -> Tensor:
    """The gradient of |k + LN(k W + b) - v|^2 / 2 with respect to k W + b, in closed form."""
    scale, shift = affine
    made = key @ state[0] + state[1]
    apart = made - made.mean(-1, keepdim=True)
    spread = (apart.square().mean(-1, keepdim=True) + EPSILON).rsqrt()
    plain = apart * spread
    back = (key + plain * scale + shift - value) * scale
    return (back - back.mean(-1, keepdim=True) - plain * (back * plain).mean(-1, keepdim=True)) * spread


EPSILON = 1e-6


def answer(query: Tensor, made: Tensor, affine: tuple[Tensor, Tensor]) -> Tensor:
    """q + LN(q W + b), given q W + b."""
    return query + functional.layer_norm(made, made.shape[-1:], eps=EPSILON) * affine[0] + affine[1]


def dual(
    query: Tensor, key: Tensor, value: Tensor, steps: Tensor, state: State, affine: tuple[Tensor, Tensor]
) -> tuple[Tensor, State]:
    """One batch of tokens without any state but the first and the last: matrix products only."""
    weight, bias = state
    pull = slope(key, value, state, affine)
    made = query @ weight + bias - (steps * (query @ key.transpose(-2, -1)) + steps) @ pull
    last = steps[:, :, -1, :, None]
    after = (weight - (last * key).transpose(-2, -1) @ pull, bias - (last * pull).sum(2, keepdim=True))
    return answer(query, made, affine), after


def primal(
    query: Tensor, key: Tensor, value: Tensor, steps: Tensor, state: State, affine: tuple[Tensor, Tensor]
) -> tuple[Tensor, State]:
    """The same as it is defined: a state for every token. Slow; what `dual` is held to."""
    pull = slope(key, value, state, affine)
    weight, bias = state
    answers = []
    for token in range(query.shape[2]):
        moved = steps[:, :, token, :, None]
        weight = state[0] - (moved * key).transpose(-2, -1) @ pull
        bias = state[1] - (moved * pull).sum(2, keepdim=True)
        asked = query[:, :, token, None]
        answers.append(answer(asked, asked @ weight + bias, affine))
    return torch.cat(answers, 2), (weight, bias)


def _both(x: Tensor) -> Tensor:
    """Heads that read forwards, then the same heads reading backwards."""
    return torch.cat([x, x.flip(2)], 1)
