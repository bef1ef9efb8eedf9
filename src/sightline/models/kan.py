"""Convolutions whose every input is first bent by learnt curves (Kolmogorov-Arnold networks), in four families.

Each input channel becomes several: the values of a few fixed functions of it, of which the convolution that follows
learns a mixture for every edge. `spline` uses cubic B-splines (Liu et al. 2024), `rbf` Gaussian bumps (Li 2024,
FastKAN), `gram` the polynomials that are orthogonal on evenly spaced points. `rational` instead bends each group of
channels by one learnt quotient of polynomials (Yang and Wang 2025, GR-KAN) and costs no more than a plain network.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.models._variants import Variant, sized

GIVES = "pyramid"
USE = "to study learnt activations; small pictures; `rational` is the one at a plain network's cost"
SIDE = 32
VARIANTS = {"rbf": 2_987_736, "spline": 2_987_736, "gram": 1_660_632, "rational": 334_168, "plain": 333_528}
PARAMETERS = 2_987_736
COST = 265_420_800  # multiplications of one picture of 64 x 64 x 3
WIDTHS = (24, 48, 96, 96)


def build(channels: int = 3, *, size: str = "rbf", widths: tuple[int, ...] = WIDTHS) -> nn.Module:
    """Four levels at strides 2, 4, 8 and 16; `size` is the family of curves, `plain` a control without any."""
    return KAN(channels, FAMILIES[size], widths)


def variant(size: str) -> Variant:
    """`kan:spline` and so on."""
    return sized("kan", build, VARIANTS, size, GIVES)


class Splines(nn.Module):
    """Cubic B-splines on an even grid over -2..2, written without recursion."""

    def __init__(self, channels: int, count: int = 8) -> None:
        super().__init__()
        self.count, self.centres = count, _even(count)

    def forward(self, x: Tensor) -> Tensor:
        far = _spread(x, self.centres).abs()
        bumps = (functional.relu(2 - far) ** 3 - 4 * functional.relu(1 - far) ** 3) / 6
        return bumps.flatten(1, 2)


class Bumps(nn.Module):
    """Gaussians on an even grid over -2..2, one step wide."""

    def __init__(self, channels: int, count: int = 8) -> None:
        super().__init__()
        self.count, self.centres = count, _even(count)

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(-(_spread(x, self.centres) ** 2)).flatten(1, 2)


class Grams(nn.Module):
    """Polynomials of tanh(x), orthogonal on `points` even places in -1..1, of degree 1 and up."""

    def __init__(self, channels: int, count: int = 4, points: int = 16) -> None:
        super().__init__()
        self.count, self.points = count, points

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(torch.promote_types(x.dtype, torch.float32)).tanh()  # differences of powers need their digits
        return torch.stack(gram(x, self.count, self.points)[1:], 2).flatten(1, 2)


class Rational(nn.Module):
    """P(x) / (1 + |Q(x)|) of order 5 over 4, one for each group of channels; begins as SiLU, near enough."""

    count = 1

    def __init__(self, channels: int, groups: int = 8) -> None:
        super().__init__()
        self.groups = groups if channels % groups == 0 else 1
        self.above = nn.Parameter(torch.tensor(SILU_ABOVE).repeat(self.groups, 1))
        self.below = nn.Parameter(torch.tensor(SILU_BELOW).repeat(self.groups, 1))

    def forward(self, x: Tensor) -> Tensor:
        shape = x.shape
        x = x.reshape(shape[0], self.groups, -1, *shape[2:]) / REACH  # so that every order matters alike where x does
        above, below = _horner(x, self.above), _horner(x, self.below) * x
        return (above / (1 + below.abs())).reshape(shape)


class Curves(nn.Module):
    """norm(convolution of SiLU(x) + convolution of the curves of x): one layer of any family."""

    def __init__(self, before: int, after: int, family: Callable[[int], nn.Module], stride: int = 1) -> None:
        super().__init__()
        self.curves = family(before)
        self.plain = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        wide = before * int(self.curves.count)  # type: ignore[arg-type]
        shared = isinstance(self.curves, Rational | nn.SiLU)
        self.bent = None if shared else nn.Conv2d(wide, after, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        if self.bent is None:
            return self.norm(self.plain(self.curves(x)))  # type: ignore[no-any-return]
        return self.norm(self.plain(functional.silu(x)) + self.bent(self.curves(x)))  # type: ignore[no-any-return]


class KAN(nn.Module):
    """`forward(x)` gives one map a level; each level halves and then adds what one more layer makes of it."""

    strides = (2, 4, 8, 16)

    def __init__(self, channels: int, family: Callable[[int], nn.Module], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths = widths
        self.enter = nn.Sequential(nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]))
        pairs = list(zip((widths[0], *widths), widths, strict=False))
        self.down = nn.ModuleList(Curves(before, after, family, 2) for before, after in pairs)
        self.stay = nn.ModuleList(Curves(after, after, family) for _, after in pairs)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.enter(x)
        maps = []
        for down, stay in zip(self.down, self.stay, strict=True):
            x = down(x)
            x = x + stay(x)
            maps.append(x)
        return maps


class _Plain(nn.SiLU):
    count = 1

    def __init__(self, channels: int) -> None:
        super().__init__()


FAMILIES: dict[str, Callable[[int], nn.Module]] = {
    "rbf": Bumps,
    "spline": Splines,
    "gram": Grams,
    "rational": Rational,
    "plain": _Plain,
}


def gram(x: Tensor, degree: int, points: int) -> list[Tensor]:
    """The polynomials of degree 0 to `degree` at x; over (2 j - 1 - points) / points, j = 1.., they are orthonormal."""
    made = [torch.ones_like(x), x * (3 * points**2 / (points**2 - 1)) ** 0.5]
    lengths = [1.0, ((points**2 - 1) / (3 * points**2)) ** 0.5]  # of the monic ones
    for order in range(1, degree):
        weight = _weight(order, points)
        lengths.append(lengths[-1] * _weight(order + 1, points) ** 0.5)
        monic = x * made[-1] * lengths[order] - weight * made[-2] * lengths[order - 1]
        made.append(monic / lengths[-1])
    return made


def _weight(order: int, points: int) -> float:
    """Of the recurrence p[n+1] = x p[n] - weight(n) p[n-1] of the monic polynomials."""
    return order**2 * (points**2 - order**2) / (points**2 * (4 * order**2 - 1))


def _even(count: int) -> list[float]:
    return [4 * place / (count - 1) - 2 for place in range(count)]


def _spread(x: Tensor, centres: list[float]) -> Tensor:
    """(rows, channels, count, ...): how many steps of the grid x lies from each centre."""
    step = centres[1] - centres[0]
    return torch.stack([(x - centre) / step for centre in centres], 2)


def _horner(x: Tensor, weights: Tensor) -> Tensor:
    """One polynomial a group, lowest order first; x is (rows, groups, channels, ...)."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    made = torch.zeros_like(x)
    for order in range(weights.shape[1] - 1, -1, -1):
        made = made * x + weights[:, order].view(shape)
    return made


# Least squares over -4..4, weighted by what they divide by; nowhere there 2e-5 away from SiLU.
REACH = 4.0
SILU_ABOVE = (0.0, 2.0, 3.9997039, 3.39262678, 1.45580713, 0.26649399)
SILU_BELOW = (0.0, 1.69631339, 0.0, 0.133246995)
