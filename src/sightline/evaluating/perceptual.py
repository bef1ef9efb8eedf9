"""How far apart pictures are for a network: the distance of its features, with whatever backbone is at hand.

Nothing is downloaded. The number belongs to its backbone, so it is named after it, and two numbers of two backbones
cannot be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.annotations import Picture
from sightline.core.depth import unit
from sightline.core.errors import InputError, SettingsError
from sightline.core.tally import Tally, mean

Metric = Callable[[Sequence[Picture], Sequence[Picture]], Tally]
_MEAN, _STD = 0.5, 0.25  # how pictures reach every network of ours
_LEAST = 64  # pixels a side; smaller pictures are made as large, so that no level is empty


def perceptual(backbone: Any, *, name: str = "", seed: int = 0) -> Metric:
    """A metric of pictures, `perceptual_NAME`: 0 for equal ones, lower is better.

    `backbone` is a run or bundle (its trained network), a torch module that gives maps of a picture, or the name of a
    model, whose weights are then by chance with that seed: even those tell structure from noise. At every level the
    features of each place are made of length 1, as in LPIPS but without its learned weights; levels count alike.
    """
    network, label = _network(backbone, seed)
    label = name or label

    def metric(truths: Sequence[Picture], predictions: Sequence[Picture]) -> Tally:
        if len(truths) != len(predictions):
            raise InputError(
                "mismatch", f"{len(truths)} truths but {len(predictions)} predictions; give one prediction a truth."
            )
        rows = [_distance(network, *pair) for pair in zip(truths, predictions, strict=True)]
        return Tally(np.array(rows, np.float64).reshape(-1, 1), mean, "lower", limits=(0.0, math.inf))

    metric.__name__ = metric.__qualname__ = f"perceptual_{label}"
    metric.__doc__ = f"Mean distance of the features that {label} sees, 0 for equal pictures."
    return metric


def _network(backbone: Any, seed: int) -> tuple[Any, str]:
    """What gives the maps, in eval mode, and its name."""
    from sightline.core.extras import need

    torch = need("torch")
    if isinstance(backbone, torch.nn.Module):
        return backbone.eval(), type(backbone).__name__.lower()
    if isinstance(backbone, Path) or (isinstance(backbone, str) and Path(backbone).exists()):
        return _trained(Path(backbone))
    found = catalog.find("models", str(backbone))
    if found.GIVES != "pyramid":
        raise SettingsError(f"perceptual: '{backbone}' gives {found.GIVES}; name a model that gives a pyramid of maps.")
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        return found.build(3).eval(), str(backbone)
    finally:
        torch.set_rng_state(state)


def _trained(path: Path) -> tuple[Any, str]:
    """The network of a run or bundle without its last layer."""
    from sightline.core import bundle as bundles
    from sightline.core.run import Run
    from sightline.core.task import Facts
    from sightline.predicting.model import torch_network, trained

    run = Run(path)
    if run.exists:
        whole, model, version = trained(run)[2], run.info["model"], path.name
    else:
        opened = bundles.load(path)
        model, version = opened.model["model"], opened.version[:8]
        task = catalog.find("tasks", opened.model["task"]).TASK
        whole = torch_network(task, model, Facts.from_json(opened.model["facts"]), bundles.weights(opened))
    if not hasattr(whole, "model"):
        raise SettingsError(f"perceptual: '{model}' of {path} has no maps to compare; name another bundle.")
    return whole.model.eval(), f"{model}_{version}"


def _distance(network: Any, truth: Picture, given: Picture) -> float:
    import torch

    a, b = truth.pixels, given.pixels
    if a.shape != b.shape or a.dtype != b.dtype or a.ndim != 3:
        raise InputError("mismatch", f"the true picture is {a.shape} {a.dtype}, the given one {b.shape} {b.dtype}.")
    if not np.isfinite(b).all():
        return math.nan
    with torch.inference_mode():
        maps = network(torch.stack([_tensor(a), _tensor(b)]))
        levels = [level for level in (maps if isinstance(maps, list | tuple) else [maps]) if level.ndim == 4]
        if not levels:
            raise SettingsError("perceptual: this network gives no maps of rows and columns; name another backbone.")
        total = 0.0
        for level in levels:
            one, two = torch.nn.functional.normalize(level.float(), dim=1, eps=1e-8)
            total += float(((one - two) ** 2).sum(0).mean())
    return total / len(levels)


def _tensor(pixels: np.ndarray) -> Any:
    """Three channels first, as networks take them; gray three times, of more channels the first three."""
    import torch

    values = unit(pixels)
    values = values[..., :3] if values.shape[2] >= 3 else np.repeat(values[..., :1], 3, 2)
    made = torch.from_numpy(np.ascontiguousarray(np.moveaxis((values - _MEAN) / _STD, 2, 0)))
    scale = _LEAST / min(made.shape[1:])
    if scale <= 1:
        return made
    size = [max(_LEAST, round(side * scale)) for side in made.shape[1:]]
    return torch.nn.functional.interpolate(made[None], size, mode="bilinear", align_corners=False)[0]
