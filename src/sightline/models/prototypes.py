"""Few pictures a name: a name is the mean of its pictures, seen by a network that was trained before.

`prototypes:RUN` (or a bundle) looks through the network of that run: what it learnt of other names serves new ones. It
stays as it is; only the means are learnt, in a second. `prototypes` alone looks through fixed random filters, which is
a floor to beat.
After Snell et al. (2017) and, for the centring, Wang et al. (2019).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sightline.core import bundle, catalog
from sightline.core.errors import SettingsError, SightlineError, UnknownNameError
from sightline.core.run import open_run
from sightline.core.task import Facts
from sightline.models._variants import Variant
from sightline.models.ridge import Ridge

GIVES = "logits"
PARAMETERS = 0
COST = 24_887_296  # multiplications of one picture of 64 x 64 x 3
USE = "5 to 10 pictures a name, in a second; `prototypes:RUN` stands on a network trained before"
SIDE = 32
TEMPERATURES = tuple(float(value) for value in torch.logspace(-2, 0, 25))
USUAL = 0.1  # where no name has two pictures to try a temperature on
KEPT = 4096  # pictures on which a temperature is tried


@dataclass(frozen=True)
class Base:
    """A trained network of features, and how it takes its pictures."""

    model: nn.Module
    facts: Facts


def build(channels: int = 3, count: int = 2, *, base: str = "") -> nn.Module:
    """Means of `count` names; `base` is a run or a bundle whose network gives the features."""
    return Prototypes(_Seen(_opened(base), channels) if base else _Patches(channels), count)


def variant(base: str) -> Variant:
    """`prototypes:RUN`, with a run or a bundle that is there and has a map of features; or what such a run said."""
    alone = base if base.startswith("{") else _said(base)
    return Variant(partial(build, base=base), None, GIVES, ALONE=f"prototypes:{alone}")


class Prototypes(nn.Module):
    """`solve(batches)` takes the means; afterwards it is an ordinary module."""

    centre: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, seen: nn.Module, count: int) -> None:
        super().__init__()
        self.seen = seen.requires_grad_(False).eval()
        width: int = seen.width  # type: ignore[assignment]
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("weight", torch.zeros(count, width))
        self.register_buffer("bias", torch.zeros(count))

    def train(self, mode: bool = True) -> Prototypes:
        """What was trained before stays as it is: its running means too."""
        super().train(mode)
        self.seen.eval()
        return self

    def meet(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        """Told how the pictures that come are scaled."""
        if isinstance(self.seen, _Seen):
            self.seen.meet(mean, std)

    def forward(self, x: Tensor) -> Tensor:
        rows = functional.normalize(self.seen(x) - self.centre, dim=1)
        return functional.linear(rows, self.weight, self.bias)

    @torch.no_grad()
    def solve(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Pairs of scaled pictures and class indices, seen once."""
        count, device = len(self.weight), self.weight.device
        most = max(2, KEPT // count)  # of one name
        sums = torch.zeros_like(self.weight, dtype=torch.float64)
        counts = torch.zeros(count, dtype=torch.float64, device=device)
        kept: list[tuple[Tensor, Tensor]] = []
        for x, classes in batches:
            rows = self.seen(x).double()
            fresh = counts[classes] < most
            kept.append((rows[fresh], classes[fresh]))
            sums.index_add_(0, classes, rows)
            counts += torch.bincount(classes, minlength=count)
        there = counts > 0
        means = sums / counts.clip(1)[:, None]
        centre = means[there].mean(0)
        temperature = _temperature(kept, sums, counts, centre)
        ahead = functional.normalize(means - centre, dim=1) * there[:, None]
        self.centre.copy_(centre)
        self.weight.copy_(ahead / temperature)
        self.bias.copy_(torch.where(there, 0.0, -2 / temperature))  # a name without a picture is never likelier


def _temperature(kept: list[tuple[Tensor, Tensor]], sums: Tensor, counts: Tensor, centre: Tensor) -> float:
    """The one that makes the truth likeliest where each picture is left out of its own mean."""
    rows, classes = (torch.cat(part) for part in zip(*kept, strict=True))
    able = counts[classes] > 1
    rows, classes = rows[able], classes[able]
    if not len(rows):
        return USUAL
    sides = functional.normalize(sums / counts.clip(1)[:, None] - centre, dim=1)
    looks = functional.normalize(rows - centre, dim=1)
    near = looks @ sides.T
    own = (sums[classes] - rows) / (counts[classes] - 1)[:, None] - centre
    near.scatter_(1, classes[:, None], (functional.normalize(own, dim=1) * looks).sum(1, keepdim=True))
    near[:, counts == 0] = -2.0
    lost = [float(functional.cross_entropy(near / heat, classes)) for heat in TEMPERATURES]
    return TEMPERATURES[lost.index(min(lost))]


class _Seen(nn.Module):
    """Pictures as the base took them when it learnt, and the mean of its last map."""

    shift: Tensor
    factor: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, base: Base, channels: int) -> None:
        super().__init__()
        spec = base.facts.input
        if spec.channels not in (1, channels) and channels != 1:
            raise SettingsError(
                f"prototypes: the pictures have {channels} channels, and the run they are to be seen through took "
                f"{spec.channels}. Name a run that learnt from pictures of {channels} channels."
            )
        self.model, self.size, self.channels = base.model, spec.size, spec.channels
        self.width = int(base.model.widths[-1])  # type: ignore[index]
        self.register_buffer("mean", torch.tensor(spec.mean).float().view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).float().view(-1, 1, 1), persistent=False)
        self.meet((0.5,), (0.25,))

    def meet(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.register_buffer("shift", torch.tensor(mean).float().view(-1, 1, 1), persistent=False)
        self.register_buffer("factor", torch.tensor(std).float().view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.factor + self.shift
        if x.shape[1] != self.channels:
            x = x.mean(1, keepdim=True) if self.channels == 1 else x.expand(-1, self.channels, -1, -1)
        if tuple(x.shape[2:]) != self.size:
            x = _taps(x.shape[2], self.size[0], x) @ x @ _taps(x.shape[3], self.size[1], x).T
        maps: list[Tensor] = self.model((x - self.mean) / self.std)
        return maps[-1].mean((2, 3))


class _Patches(nn.Module):
    """Fixed random filters, rectified both ways and pooled over quarters."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = Ridge(channels, 1, 256, 1e-3, 0)
        self.width = self.model.weight.shape[1]

    def forward(self, x: Tensor) -> Tensor:
        return self.model.features(x)


def _taps(have: int, want: int, like: Tensor) -> Tensor:
    """Linear resampling of one axis, smooth where it shrinks, as a matrix."""
    middle = (torch.arange(want, device=like.device) + 0.5) * (have / want) - 0.5
    apart = (torch.arange(have, device=like.device)[None] - middle[:, None]).abs()
    near = (1 - apart / max(1.0, have / want)).clamp(min=0)
    return near / near.sum(1, keepdim=True)


def _said(where: str) -> str:
    """What a network like this one is built from when its weights are known: no run is needed then."""
    info, facts = _record(where)[0], _opened(where).facts
    told = {"model": info["model"], "facts": {**facts.to_json(), "names": [], "options": {}, "extra": {}}}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def _opened(where: str) -> Base:
    """The network of features of a run or a bundle, with its weights; one line where there is none."""
    if where.startswith("{"):
        told = json.loads(where)
        facts = Facts.from_json(told["facts"])
        return Base(catalog.find("models", told["model"]).build(facts.input.channels).eval(), facts)
    info, weights = _record(where)
    found = catalog.find("models", info["model"])
    facts = Facts.from_json(info["facts"])
    if found.GIVES != "pyramid" or len(facts.input.size) != 2:
        raise SettingsError(
            f"prototypes: the model of {where} is '{info['model']}', which gives no map of features to see through. "
            "Name a run of a model such as 'small'."
        )
    model: nn.Module = found.build(facts.input.channels)
    mine = {name.removeprefix("model."): value for name, value in weights.items() if name.startswith("model.")}
    try:
        model.load_state_dict(mine)
    except RuntimeError as error:
        raise SettingsError(f"prototypes: the weights of {where} do not suit '{info['model']}'.") from error
    return Base(model.eval(), facts)


def _record(where: str) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
    """What a run or a bundle says of itself, and its weights."""
    from safetensors.torch import load as unpack

    path = Path(where)
    if path.suffix == ".sightline" or (path / bundle.MANIFEST).is_file():
        opened = bundle.load(path)
        return opened.model, {name: torch.from_numpy(value) for name, value in bundle.weights(opened).items()}
    try:
        run = open_run(where)
    except SightlineError as error:
        raise UnknownNameError(
            f"'prototypes' has no network at '{where}' to see through: name the folder of a run, or a bundle, of a "
            "network that was trained before, or write 'prototypes' alone for fixed random filters."
        ) from error
    if not run.weights.is_file():
        raise SettingsError(f"prototypes: the run {run.path} is not done. Let it finish first.")
    return run.info, unpack(run.weights.read_bytes())
