"""Every architecture of the timm library, as `timm:NAME`; with a tag, `timm:NAME.TAG`, it begins with those weights.

Without a tag nothing is ever downloaded. With one, timm fetches the weights once and keeps them, and their licence is
shown. Where they cannot be had, one line says so and the network begins from chance.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core.errors import SettingsError, UnknownNameError, nearest
from sightline.core.extras import need
from sightline.models._variants import Variant

GIVES = "logits"
PARAMETERS = None
USE = "any published architecture; transfer from pre-trained weights"
MEAN, STD = 0.5, 0.25  # how pictures reach every network of ours


def build(channels: int = 3, count: int | None = None) -> nn.Module:
    """Needs a name: this is a door, not a network."""
    raise SettingsError("model 'timm' is a library: write which of its architectures, for example timm:resnet18.")


def variant(name: str) -> Variant:
    """`timm:resnet18`, `timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k` and so on."""
    timm = need("timm")
    plain = name.partition(".")[0]
    if not timm.is_model(plain):
        raise UnknownNameError(
            f"timm has no architecture '{plain}'.{nearest(plain, timm.list_models())} "
            f"Find one with: timm.list_models('*{plain.split('_')[0]}*')"
        )
    if name != plain and name not in (tagged := timm.list_pretrained(f"{plain}.*")):
        raise UnknownNameError(f"timm has no weights '{name}'. Known: {', '.join(tagged) or f'none for {plain}'}.")
    return Variant(partial(_build, name), None, GIVES)


def _build(name: str, channels: int = 3, count: int | None = None) -> nn.Module:
    """A whole classifier when told how many names, its last four maps when not."""
    card = need("timm").models.get_pretrained_cfg(name)
    fixed = tuple(card.input_size[1:]) if card is not None and card.fixed_input_size else None
    if count is None and fixed:
        raise SettingsError(f"timm:{name} takes pictures of {fixed[0]} x {fixed[1]} only and gives no maps of others.")
    wanted: dict[str, Any] = {"in_chans": channels}
    wanted |= {"features_only": True} if count is None else {"num_classes": count}
    network, found = _made(name, wanted)
    scaled = _Scaled(fixed, card if found else None, channels)
    return _Pyramid(scaled, network) if count is None else _Classifier(scaled, network)


def _made(name: str, wanted: dict[str, Any]) -> tuple[Any, bool]:
    """The network, and whether it holds the weights that the name's tag asks for."""
    timm = need("timm")
    if "." not in name:
        return timm.create_model(name, pretrained=False, **wanted), False
    try:
        network = timm.create_model(name, pretrained=True, **wanted)
    except (OSError, RuntimeError) as error:  # no network, no place to keep them, or no client to fetch them with
        why = (str(error).splitlines() or [type(error).__name__])[0]
        warnings.warn(f"no weights for timm:{name}, so it begins from chance: {why}", stacklevel=2)
        return timm.create_model(name, pretrained=False, **wanted), False
    card = timm.models.get_pretrained_cfg(name)
    licence = card.license or "not stated, so ask before you use them"
    warnings.warn(f"weights of timm:{name}: from {card.hf_hub_id or card.url}; licence: {licence}", stacklevel=2)
    return network, True


class _Scaled(nn.Module):
    """Pictures as the architecture wants them: at its only size, and at the brightness its weights were learnt with."""

    mean: Tensor
    std: Tensor

    def __init__(self, fixed: tuple[int, int] | None, card: Any, channels: int) -> None:
        super().__init__()
        self.fixed = fixed
        alike = card is None or channels != len(card.mean)
        mean, std = ((MEAN,), (STD,)) if alike else (card.mean, card.std)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.fixed is not None and x.shape[-2:] != self.fixed:
            x = functional.interpolate(x, self.fixed, mode="bilinear", align_corners=False)
        return (x * STD + MEAN - self.mean) / self.std


class _Classifier(nn.Sequential):
    """Scores; parted before the layer that answers, so that all else can rest."""

    def pooled(self, x: Tensor) -> Tensor:
        """What the last layer answers from; the scores themselves where the architecture cannot be parted."""
        network: Any = self[1]
        if self._last() is None:
            return self(x)  # type: ignore[no-any-return]
        return network.forward_head(network.forward_features(self[0](x)), True)  # type: ignore[no-any-return]

    def answered(self, pooled: Tensor) -> Tensor:
        """One score a name."""
        last = self._last()
        return pooled if last is None else last(pooled)

    def _last(self) -> nn.Linear | None:
        network: Any = self[1]
        found = network.get_classifier() if hasattr(network, "forward_head") else None
        return found if isinstance(found, nn.Linear) else None


class _Pyramid(nn.Module):
    """The last four maps, finest first."""

    def __init__(self, scaled: nn.Module, network: Any) -> None:
        super().__init__()
        self.scaled, self.network = scaled, network
        self.widths = tuple(network.feature_info.channels())[-4:]
        self.strides = tuple(network.feature_info.reduction())[-4:]

    def forward(self, x: Tensor) -> list[Tensor]:
        return list(self.network(self.scaled(x)))[-4:]
