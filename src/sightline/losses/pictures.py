"""Losses over pixels: 0 to 1, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sightline.core.errors import SettingsError

_WINDOW, _SPREAD = 11, 1.5  # of the structural similarity (Wang et al. 2004)
_LIGHT, _CONTRAST = 0.01**2, 0.03**2


def charbonnier(pixels: Tensor, truth: Tensor, *, soft: float = 1e-3) -> Tensor:
    """A smooth absolute difference (Charbonnier et al. 1994), zero on identical input."""
    return ((pixels - truth).square() + soft**2).sqrt().mean() - soft


def mean_square(pixels: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference."""
    return (pixels - truth).square().mean()


def mean_absolute(pixels: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference, also called L1."""
    return (pixels - truth).abs().mean()


def dissimilarity(pixels: Tensor, truth: Tensor) -> Tensor:
    """1 less the structural similarity (Wang et al. 2004): Gaussian windows of 11, where they lie wholly inside.

    Pictures smaller than that are seen through a window of their own size.
    """
    x, y = pixels.movedim(-1, -3), truth.movedim(-1, -3)
    shape = x.shape[-2:]
    x, y = x.reshape(-1, 1, *shape), y.reshape(-1, 1, *shape)
    rows, columns = (_bell(min(_WINDOW, side), x) for side in shape)

    def seen(values: Tensor) -> Tensor:
        return functional.conv2d(functional.conv2d(values, rows[None, None, :, None]), columns[None, None, None])

    mean_x, mean_y = seen(x), seen(y)
    vary_x, vary_y = seen(x * x) - mean_x**2, seen(y * y) - mean_y**2
    shared = seen(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + _LIGHT) / (mean_x**2 + mean_y**2 + _LIGHT)
    return 1 - (light * (2 * shared + _CONTRAST) / (vary_x + vary_y + _CONTRAST)).mean()


def _bell(length: int, like: Tensor) -> Tensor:
    far = torch.arange(length, dtype=like.dtype, device=like.device) - (length - 1) / 2
    bell = torch.exp(-(far**2) / (2 * _SPREAD**2))
    return bell / bell.sum()


def frequency(pixels: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of Fourier coefficients, real and imaginary parts apart (Cho et al. 2021).

    Coefficients are those of the orthonormal transform, so that the value does not grow with the picture.
    """
    far = torch.fft.rfft2((pixels - truth).movedim(-1, -3), norm="ortho")
    return torch.view_as_real(far).abs().mean()


def perceptual(
    pixels: Tensor, truth: Tensor, *, backbone: Callable[[Tensor], Any], weights: Sequence[float] | None = None
) -> Tensor:
    """How far apart a network of your own sees two pictures (Johnson et al. 2016); nothing is downloaded.

    `backbone` takes channels first and answers one map or several; each counts as `weights` says, or all alike. It is
    asked as it is: give it in eval mode, with parameters that need no gradient.
    """
    seen, wanted = (_maps(backbone(values.movedim(-1, -3))) for values in (pixels, truth))
    shares = list(weights) if weights is not None else [1 / len(seen)] * len(seen)
    if len(shares) != len(seen):
        raise SettingsError(f"{len(shares)} weights for the {len(seen)} maps of the backbone; give one for each.")
    gaps = [(one - other.detach()).abs().mean() * share for one, other, share in zip(seen, wanted, shares, strict=True)]
    return torch.stack(gaps).sum()


def _maps(answer: Any) -> list[Tensor]:
    return list(answer) if isinstance(answer, list | tuple) else [answer]
