"""What learns: the network, its moving average and its optimisers, and how to put them away and take them out again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sightline.core import catalog
from sightline.core.chance import seed_from
from sightline.core.errors import RunError
from sightline.core.task import Facts, Task
from sightline.training.choices import Choices
from sightline.training.settings import Settings


class Called:
    """A network as a loss sees it: mixed precision inside, named float32 tensors outside."""

    def __init__(self, module: nn.Module, choices: Choices) -> None:
        self.module = module
        self.kind = torch.device(choices.device).type
        self.mixed = choices.precision == "bfloat16"

    def __call__(self, **inputs: Tensor) -> dict[str, Tensor]:
        with torch.autocast(self.kind, torch.bfloat16, enabled=self.mixed):
            out = self.module(**inputs)
        return {name: value.float() if value.is_floating_point() else value for name, value in out.items()}

    def part(self, name: str, *inputs: Any) -> Any:
        """A sub-network that is not exported."""
        with torch.autocast(self.kind, torch.bfloat16, enabled=self.mixed):
            return self.module.get_submodule(name)(*inputs)


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
    return network.to(choices.device)


class Learner:
    """Network, average and one optimiser a turn."""

    def __init__(self, task: Task, network: nn.Module, settings: Settings, choices: Choices) -> None:
        self.network, self.settings, self.choices = network, settings, choices
        self.average = copy.deepcopy(network).eval()
        self.average.requires_grad_(False)
        self.optimisers = {turn: self._optimiser(turn) for turn in task.turns if any(True for _ in self.players(turn))}

    def players(self, turn: str) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that learn in this turn."""
        return ((name, p) for name, p in self.network.named_parameters() if name.startswith(turn))

    def _optimiser(self, turn: str) -> torch.optim.Optimizer:
        flat = [p for _, p in self.players(turn) if p.ndim < 2]
        deep = [p for _, p in self.players(turn) if p.ndim >= 2]
        settings = self.settings
        groups = [{"params": deep, "weight_decay": settings.decay}, {"params": flat, "weight_decay": 0.0}]
        make = catalog.find("optimisers", settings.optimiser)
        made: torch.optim.Optimizer = make([g for g in groups if g["params"]], settings.rate, settings.decay)
        return made

    def teach(self, rows: int) -> None:
        """Training mode; one row alone has no statistics of its own and is normalised by the running ones."""
        self.network.train()
        if rows == 1:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

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
        for mine, theirs in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay) if self.settings.average else mine.copy_(theirs)
        for kept, latest in zip(self.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(latest)  # running means are averages already

    def buffers(self) -> dict[str, Tensor]:
        """A copy of what a forward pass may change by itself (running means)."""
        return {name: buffer.clone() for name, buffer in self.network.named_buffers()}

    @torch.no_grad()
    def put_back(self, buffers: Mapping[str, Tensor]) -> None:
        for name, buffer in self.network.named_buffers():
            buffer.copy_(buffers[name])

    def healthy(self) -> bool:
        """Whether every weight and buffer is finite."""
        values = [*self.network.parameters(), *self.network.buffers()]
        return all(bool(torch.isfinite(value).all()) for value in values if value.is_floating_point())

    def tensors(self) -> dict[str, Tensor]:
        """Everything as named tensors."""
        named = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        named |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for turn, optimiser in self.optimisers.items():
            for index, values in optimiser.state_dict()["state"].items():
                for name, value in values.items():
                    if value is not None:
                        named[f"optimiser.{turn or '*'}.{index}.{name}"] = torch.as_tensor(value)
        return named

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Become what `tensors` put away."""
        try:
            self.network.load_state_dict(_under(tensors, "network."))
            self.average.load_state_dict(_under(tensors, "average."))
        except RuntimeError as error:
            raise RunError(f"the checkpoint is of another network: {str(error).splitlines()[0]}") from error
        for turn, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in _under(tensors, f"optimiser.{turn or '*'}.").items():
                index, _, key = name.partition(".")
                state.setdefault(int(index), {})[key] = value.clone()
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def to_device(arrays: Mapping[str, Any], device: str) -> dict[str, Any]:
    """A batch's arrays as tensors where the network is."""
    return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in arrays.items()}


def count_parameters(modules: Sequence[nn.Module]) -> int:
    """Numbers that learn."""
    return sum(p.numel() for module in modules for p in module.parameters())
