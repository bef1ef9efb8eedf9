"""What learns: the network, its moving average and its optimisers, and how to put them away and take them out again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sightline.core import catalog
from sightline.core.chance import seed_from
from sightline.core.errors import RunError, SettingsError
from sightline.core.task import Facts, Task
from sightline.training import layers
from sightline.training.choices import Choices
from sightline.training.settings import Settings


class Called:
    """A network as a loss sees it: mixed precision inside, named float32 tensors outside."""

    def __init__(self, module: nn.Module, choices: Choices) -> None:
        self.module = module
        self.kind = torch.device(choices.device).type
        self.mixed = choices.precision == "bfloat16"
        self.calls: list[tuple[dict[str, Tensor], dict[str, Tensor]]] | None = None  # a list: note them

    def __call__(self, **inputs: Tensor) -> dict[str, Tensor]:
        out = self._mixed(self.module, **inputs)
        answers = {name: value.float() if value.is_floating_point() else value for name, value in out.items()}
        if self.calls is not None:
            self.calls.append((inputs, answers))
        return answers

    def part(self, name: str, *inputs: Any) -> Any:
        """A sub-network that is not exported."""
        return self._mixed(self.module.get_submodule(name), *inputs)

    def _mixed(self, module: nn.Module, *inputs: Any, **named: Any) -> Any:
        if not self.mixed:
            return module(*inputs, **named)
        with torch.autocast(self.kind, torch.bfloat16):
            return module(*inputs, **named)


def build(task: Task, model: str, facts: Facts, choices: Choices, seed: int) -> nn.Module:
    """The network as it is before the first step, where the run computes."""
    torch.manual_seed(seed_from(seed, "network"))
    network: nn.Module = task.network(model, facts)
    return place(network, choices)


def place(network: nn.Module, choices: Choices) -> nn.Module:
    """The network on its device and in its layout."""
    layout = torch.channels_last if choices.layout == "channels_last" else torch.contiguous_format
    for module in network.modules():
        if hasattr(module, "layout"):
            module.layout = layout  # type: ignore[assignment]  # a plain attribute of ours, not a tensor
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    if choices.compiled:
        network.compile(dynamic=False)  # a batch of another size is translated anew, so that nothing depends on order
    return network.to(choices.device)


class Learner:
    """Network, average and one optimiser a turn."""

    def __init__(self, task: Task, network: nn.Module, settings: Settings, choices: Choices) -> None:
        self.network, self.settings, self.choices = network, settings.settled(), choices
        self.frozen = layers.frozen(network, settings.freeze)
        self.still = layers.still(network, self.frozen)
        held = {id(buffer) for module in self.still for buffer in module.buffers()}
        buffers = (name for name, buffer in network.named_buffers() if id(buffer) in held)
        self.rest = self.frozen.union(buffers) & network.state_dict().keys()
        _drop_paths(network, settings.drop_path)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name not in self.frozen)
        self.average = copy.deepcopy(network).eval()
        self.average.requires_grad_(False)
        self.learning = {turn: [p for _, p in self.players(turn)] for turn in task.turns}
        self.optimisers = {turn: self._optimiser(turn) for turn in task.turns if self.learning[turn]}
        self.called, self.called_average = network, self.average  # what a loss reaches; see features.py
        self.teacher: Any = None  # see teacher.py
        self._alone: bool | None = None
        self._pairs = self._followed()
        self._before = [buffer.detach().clone() for buffer in self._pairs.buffers]

    @property
    def rate(self) -> float:
        """The whole rate, of which a schedule gives a part."""
        return float(self.settings.rate or 0.0)

    def players(self, turn: str) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that learn in this turn."""
        named = self.network.named_parameters()
        return ((name, p) for name, p in named if name.startswith(turn) and name not in self.frozen)

    def _optimiser(self, turn: str) -> torch.optim.Optimizer:
        """One group for every decay, depth and place; `share` is its part of the rate."""
        last, settings = layers.answering(self.network), self.settings
        deep = layers.depths(self.network) if settings.taper < 1 else {}
        groups: dict[tuple[bool, float, bool], list[nn.Parameter]] = {}
        for matrices in (True, False):
            for name, p in self.players(turn):
                if (p.ndim >= 2) is matrices:
                    key = (not matrices, settings.taper ** deep.get(name, 0), name in last)
                    groups.setdefault(key, []).append(p)
        listed = [
            {"params": held, "weight_decay": 0.0 if flat else settings.decay, "share": share, "last": answers}
            for (flat, share, answers), held in groups.items()
        ]
        make = catalog.find("optimisers", settings.optimiser)
        try:
            made: torch.optim.Optimizer = make(listed, self.rate, settings.decay, **settings.optimiser_settings)
        except TypeError as error:
            raise SettingsError(f"train.optimiser_settings do not suit '{settings.optimiser}': {error}.") from error
        return made

    def _followed(self) -> _Pairs:
        """What moves: the parameters that learn and the buffers beside them, with their averages."""
        resting = {id(buffer) for module in self.still for buffer in module.buffers()}
        theirs = dict(self.network.named_parameters())
        weights = [(mine, theirs[name]) for name, mine in self.average.named_parameters() if name not in self.frozen]
        both = zip(self.average.buffers(), self.network.buffers(), strict=True)
        buffers = [(kept, latest) for kept, latest in both if id(latest) not in resting]
        return _Pairs(*([pair[place] for pair in pairs] for pairs in (weights, buffers) for place in (0, 1)))

    def short(self, network: nn.Module, average: nn.Module) -> None:
        """Reach the network and its average through these, which leave out what rests."""
        self.called, self.called_average = network, average

    def teach(self, rows: int) -> None:
        """Training mode; one row alone has no statistics of its own and is normalised by the running ones."""
        alone = rows == 1
        if self._alone is alone and self.network.training:
            return
        self.network.train()
        for module in self.still:
            module.eval()
        if alone:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        self._alone = alone

    def only(self, turn: str) -> None:
        """Let gradients reach the parameters of this turn and no others."""
        if len(self.optimisers) > 1:
            mine = {name for name, _ in self.players(turn)}
            for name, parameter in self.network.named_parameters():
                parameter.requires_grad_(name in mine)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move the average towards the network; early on it follows faster."""
        decay = min(self.settings.average, (1 + step) / (10 + step))
        pairs = self._pairs
        if not self.settings.average:
            torch._foreach_copy_(pairs.averages, pairs.weights)
        elif pairs.weights:
            torch._foreach_lerp_(pairs.averages, pairs.weights, 1 - decay)
        if pairs.buffers:
            torch._foreach_copy_(pairs.kept, pairs.buffers)  # running means are averages already

    @torch.no_grad()
    def keep_buffers(self) -> None:
        """Note what a forward pass may change by itself (running means)."""
        if self._before:
            torch._foreach_copy_(self._before, self._pairs.buffers)

    @torch.no_grad()
    def put_back(self) -> None:
        """Have the buffers as they were noted."""
        if self._before:
            torch._foreach_copy_(self._pairs.buffers, self._before)

    @torch.no_grad()
    def shrink(self, turn: str) -> None:
        """Take the same from every weight that is no norm or bias; what would change its sign becomes zero."""
        if not self.settings.l1:
            return
        for group in self.optimisers[turn].param_groups:
            for weight in group["params"]:
                if weight.ndim >= 2:
                    weight.copy_(torch.nn.functional.softshrink(weight, self.settings.l1 * group["lr"]))

    def healthy(self) -> bool:
        """Whether every weight and buffer is finite."""
        values = [*self.network.parameters(), *self.network.buffers()]
        return all(bool(torch.isfinite(value).all()) for value in values if value.is_floating_point())

    def tensors(self) -> dict[str, Tensor]:
        """Everything that moves, as named tensors."""
        named = {f"network.{name}": value for name, value in self.moving(self.network.state_dict()).items()}
        named |= {f"average.{name}": value for name, value in self.moving(self.average.state_dict()).items()}
        for turn, optimiser in self.optimisers.items():
            for index, values in optimiser.state_dict()["state"].items():
                for name, value in values.items():
                    if value is not None:
                        named[f"optimiser.{turn or '*'}.{index}.{name}"] = torch.as_tensor(value)
        return named

    def moving(self, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Those of a state that may change in training."""
        return {name: value for name, value in named.items() if name not in self.rest}

    def resting(self) -> dict[str, Tensor]:
        """Those that never do: put away once."""
        return {name: value for name, value in self.network.state_dict().items() if name in self.rest}

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor], resting: Mapping[str, Tensor] | None = None) -> None:
        """Become what `tensors` put away, on top of what rests."""
        resting = resting or {}
        try:
            self.network.load_state_dict({**resting, **_under(tensors, "network.")})
            self.average.load_state_dict({**resting, **_under(tensors, "average.")})
        except RuntimeError as error:
            raise RunError(f"the checkpoint is of another network: {str(error).splitlines()[0]}") from error
        for turn, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in _under(tensors, f"optimiser.{turn or '*'}.").items():
                index, _, key = name.partition(".")
                state.setdefault(int(index), {})[key] = value.clone()
            _suits(state, [p for group in optimiser.param_groups for p in group["params"]])
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Lists that belong together place by place, taken once: walking a network takes longer than moving it."""

    averages: list[Tensor]
    weights: list[Tensor]
    kept: list[Tensor]
    buffers: list[Tensor]


def _drop_paths(network: nn.Module, most: float) -> None:
    """Set how often branches are left out: rising to `most` from the first to the last (Huang et al. 2016)."""
    if not most:
        return
    found: list[Any] = [module for module in network.modules() if type(module).__name__ == "DropPath"]
    if not found:
        raise SettingsError("train.drop_path: this network has no residual branches that can be left out.")
    for place, module in enumerate(found, 1):
        module.rate = most * place / len(found)


def _suits(state: Mapping[int, Mapping[str, Tensor]], learning: Sequence[nn.Parameter]) -> None:
    """Refuse what an optimiser put away of a network in which other weights learn: it goes by places, not by names."""
    for place, held in state.items():
        shape = learning[place].shape if place < len(learning) else None
        if shape is None or any(value.ndim == len(shape) != 0 and value.shape != shape for value in held.values()):
            raise RunError(
                "the checkpoint is of another network, in which other weights learn. Begin in another folder."
            )


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def to_device(arrays: Mapping[str, Any], device: str) -> dict[str, Any]:
    """A batch's arrays as tensors where the network is."""
    return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in arrays.items()}
