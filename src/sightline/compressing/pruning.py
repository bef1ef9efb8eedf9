"""Which channels hang together, which matter least, and a network without those: really smaller, in every layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from sightline.compressing.subject import Subject
from sightline.core.chance import generator
from sightline.core.extras import need
from sightline.core.task import Step
from sightline.training.choices import Choices
from sightline.training.layers import answering
from sightline.training.learner import Called, to_device
from sightline.training.loader import Loader

ROUND = 8  # channels of a layer are a multiple of this, which processors take at once
MOST = 0.85  # of the channels of one group
BATCHES, ROWS = 8, 32  # that say how much the loss would rise


def pruned(subject: Subject, share: float) -> nn.Module:
    """A copy without the groups of channels that the loss would miss least: first order (Molchanov et al. 2019)."""
    tp: Any = need("torch_pruning")
    network = subject.copied()
    examples = {name: torch.from_numpy(array) for name, array in subject.examples().items()}
    last = {name.rpartition(".")[0] for name in answering(network)}
    kept = [network.get_submodule(name) for name in sorted(last)]
    kept = [layer for module in kept for layer in module.modules() if not list(layer.children())]
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    pruner = tp.pruner.BasePruner(
        _Plain(network), examples, importance=tp.importance.GroupTaylorImportance(), global_pruning=True,
        pruning_ratio=share, max_pruning_ratio=MOST, ignored_layers=kept, round_to=ROUND, forward_fn=_asked,
    )  # fmt: skip
    _gradients(subject, network)
    pruner.step()
    network.zero_grad(set_to_none=True)
    return network.eval()  # type: ignore[no-any-return]


class _Plain(nn.Module):
    """A network as it is while it learns, layers at rest: what it only tells beside its answer ties no channels."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, **inputs: torch.Tensor) -> list[torch.Tensor]:
        was, self.network.training = self.network.training, True  # of the outermost module alone
        try:
            return list(self.network(**inputs).values())
        finally:
            self.network.training = was


def _asked(network: nn.Module, examples: dict[str, torch.Tensor]) -> Any:
    return network(**examples)


def _gradients(subject: Subject, network: nn.Module) -> None:
    """The gradient of the task's loss over some training pictures, left on the parameters."""
    side = subject.parted.side("train")
    order = generator(subject.seed, "compress", "importance").permutation(len(side))[: BATCHES * ROWS].tolist()
    loader = Loader(subject.task, subject.facts, side, subject.seed, None, 0)
    called = Called(network, Choices("cpu", "float32", "plain", 1))
    network.eval()  # with the statistics it answers with
    for first in range(0, len(order), ROWS):
        batch = loader.make(0, order[first : first + ROWS], set())
        if batch.rows:
            step = Step(called, called, to_device(batch.arrays, "cpu"), subject.facts, subject.task.turns[0], 1.0)
            sum(subject.task.loss(step).values()).backward()


class Sparse:
    """Zeros among the weights: the smallest go first, more of them as it learns on, after Zhu and Gupta 2017."""

    def __init__(self, share: float, grown: float = 0.7) -> None:
        self.share, self.grown = share, grown

    @torch.no_grad()
    def __call__(self, network: nn.Module, progress: float) -> None:
        """Set the smallest weights of every layer to zero; how many follows from the progress."""
        done = min(1.0, progress / self.grown)
        share = self.share * (1 - (1 - done) ** 3)
        for weight in wide(network):
            count = int(share * weight.numel())
            if count:
                limit = weight.abs().flatten().kthvalue(count).values
                weight[weight.abs() <= limit] = 0.0


def wide(network: nn.Module) -> list[torch.Tensor]:
    """The weights that zeros may stand in: of convolutions and matrices, not of what answers."""
    last = answering(network)
    return [
        parameter.data for name, parameter in network.named_parameters() if parameter.ndim >= 2 and name not in last
    ]


def sparsity(network: nn.Module) -> float:
    """How many of all parameters are zero."""
    count = sum(parameter.numel() for parameter in network.parameters())
    return sum(int((parameter == 0).sum()) for parameter in network.parameters()) / max(1, count)
