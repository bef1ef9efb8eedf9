"""Maps from inside a network: where its features speak for the answer, weighed by gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.errors import SettingsError, nearest
from sightline.explaining.recorder import recording
from sightline.explaining.subject import View

if TYPE_CHECKING:
    from torch import Tensor

FINE = 7  # rows and columns that a map should have: coarser ones point at everything


def gradcam(view: View, *, layer: str | None = None) -> np.ndarray:
    """Each feature weighed by its mean gradient (Selvaraju et al. 2017)."""
    made, slope = _at(view, layer)
    return grown(weighed(made, slope), view.size)


def gradcam_plus(view: View, *, layer: str | None = None) -> np.ndarray:
    """Each feature weighed by its positive gradients, the sharper the more (Chattopadhay et al. 2018)."""
    made, slope = _at(view, layer)
    return grown(weighed_plus(made, slope), view.size)


def layercam(view: View, *, layer: str | None = None) -> np.ndarray:
    """Each place of each feature weighed by its own gradient, over the levels together (Jiang et al. 2021)."""
    pairs = [_at(view, layer)] if layer else _levels(view)
    parts = [grown((slope.clamp(min=0) * made).sum(1).clamp(min=0), view.size) for made, slope in pairs]
    parts = [part / np.maximum(part.max((1, 2), keepdims=True), 1e-12) for part in parts]
    return np.asarray(np.mean(parts, 0))


def weighed(made: Tensor, slope: Tensor) -> Tensor:
    """Grad-CAM of maps and their gradients."""
    return (slope.mean((2, 3), keepdim=True) * made).sum(1).clamp(min=0)


def weighed_plus(made: Tensor, slope: Tensor) -> Tensor:
    """Grad-CAM++ of maps and their gradients, as in the paper for an exponential of the score."""
    square, cube = slope**2, slope**3
    below = 2 * square + (made * cube).sum((2, 3), keepdim=True)
    alpha = square / below.where(below != 0, below.new_ones(()))
    return ((alpha * slope.clamp(min=0)).sum((2, 3), keepdim=True) * made).sum(1).clamp(min=0)


def grown(maps: Any, size: tuple[int, int]) -> np.ndarray:
    """Maps at the size of the input."""
    from torch.nn import functional

    wide = functional.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    found: np.ndarray = wide.detach().numpy()
    return found


def _at(view: View, layer: str | None) -> tuple[Tensor, Tensor]:
    """The maps of the layer named, or of the deepest level that is still fine enough, and their gradients."""
    if layer is not None:
        return _traced(view, layer)[0]
    levels = _traced(view, None)
    fine = [pair for pair in levels if min(pair[0].shape[-2:]) >= FINE]
    return (fine or levels)[-1]


def _levels(view: View) -> list[tuple[Tensor, Tensor]]:
    """The two deepest levels that are fine enough."""
    levels = _traced(view, None)
    fine = [pair for pair in levels if min(pair[0].shape[-2:]) >= FINE]
    return fine[-2:] or levels[-1:]


def _traced(view: View, layer: str | None) -> list[tuple[Tensor, Tensor]]:
    import torch

    network = view.subject.network
    with torch.enable_grad(), recording(network, len(view), view.size) as record:
        outputs = network(**view.tensors())
    if layer is not None and layer not in record.named:
        known = [name for name in record.named if name]
        raise SettingsError(f"the network has no layer '{layer}' that gives maps.{nearest(layer, known)}")
    maps = record.levels() if layer is None else [record.named[layer]]
    maps = [made for made in maps if made.requires_grad]
    if not maps:
        raise SettingsError("the network makes no map on its way; ask with the method 'occlusion' or 'integrated'.")
    slopes = torch.autograd.grad(view.total(outputs), maps, allow_unused=True)
    found = [(made.detach(), slope) for made, slope in zip(maps, slopes, strict=True) if slope is not None]
    if not found:
        raise SettingsError("no gradient reaches the maps of the network; ask with the method 'occlusion'.")
    return found
