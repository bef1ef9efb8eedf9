"""A changed network becomes a form: its graph written, compared with the network, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from sightline.compressing.folding import apart
from sightline.compressing.form import Form
from sightline.compressing.subject import Subject
from sightline.core import catalog
from sightline.core.errors import RunError
from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.predicting.answers import torch_run

CLOSE = 2e-3  # of the largest number an output holds


def graph_of(subject: Subject, network: nn.Module) -> bytes:
    """The graph of a network; refused where it does not answer like the network."""
    graphs = subject.task.graphs(network.eval(), subject.facts)
    (graph,) = graphs.values()
    data: bytes = catalog.find("exporters", "onnx").export(graph)
    gaps = apart(torch_run(network), subject.load(data), subject.fed()[:2])
    far = {name: gap for name, gap in gaps.items() if not gap <= CLOSE}
    if far:
        told = "; ".join(f"output {name}: gap {gap:.3g}, allowed {CLOSE:g}" for name, gap in far.items())
        raise RunError(f"the exported graph does not answer like the compressed network ({told}).")
    return data


def counted(subject: Subject, network: nn.Module) -> dict[str, Any]:
    """Parameters and multiplications of one picture."""
    inputs = {name: torch.from_numpy(array) for name, array in subject.examples().items()}
    return {
        "parameters": count_parameters(network),
        "multiplications": count_multiplications(_Called(network), inputs),
    }


class _Called(nn.Module):
    """A network that takes its inputs by name, called by place."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        return self.network(**inputs)


def form_of(
    subject: Subject, network: nn.Module, name: str, method: str, says: str, settings: Mapping[str, Any], **facts: Any
) -> Form:
    """The form that a changed network is."""
    return Form(name, method, graph_of(subject, network), says, settings, {**counted(subject, network), **facts})
