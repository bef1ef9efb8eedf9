"""Learning by hand: gradients of a two-layer network in numpy equal autograd's, and its step is the loop's step."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sightline.core import catalog
from sightline.core.inputs import InputSpec
from sightline.core.task import Facts, Step
from sightline.losses.labels import cross_entropy
from sightline.tasks.classify import Classify
from sightline.training.choices import Choices
from sightline.training.learner import Learner
from sightline.training.settings import Settings
from sightline.training.step import Stepper

ROWS, WIDE, HIDDEN, NAMES, RATE = 9, 6, 5, 3, 0.5


class _TwoLayers(nn.Module):
    """Linear, ReLU, linear, in double precision."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(WIDE, HIDDEN).double(), nn.Linear(HIDDEN, NAMES).double()

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.second(torch.relu(self.first(image)))}


class _Task(Classify):
    """The loss of the house on rows of numbers."""

    def loss(self, step: Step) -> dict[str, Any]:
        logits = step.network.module(image=step.batch["image"])["logits"]
        return {"names": catalog.find("losses", "cross_entropy")(logits, step.batch["classes"])}


@pytest.fixture
def network() -> _TwoLayers:
    torch.manual_seed(0)
    return _TwoLayers()


@pytest.fixture
def batch() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"image": rng.standard_normal((ROWS, WIDE)), "classes": rng.integers(0, NAMES, ROWS)}


def _by_hand(network: _TwoLayers, batch: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    """The loss and its gradients, layer by layer backwards."""
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    x, classes = batch["image"], batch["classes"]
    before = x @ weights["first.weight"].T + weights["first.bias"]
    hidden = np.maximum(before, 0)
    logits = hidden @ weights["second.weight"].T + weights["second.bias"]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares = powers / powers.sum(1, keepdims=True)
    lost = -np.log(shares[np.arange(ROWS), classes]).mean()
    back = (shares - np.eye(NAMES)[classes]) / ROWS
    into = (back @ weights["second.weight"]) * (before > 0)
    return float(lost), {
        "first.weight": into.T @ x,
        "first.bias": into.sum(0),
        "second.weight": back.T @ hidden,
        "second.bias": back.sum(0),
    }


def test_gradients_by_hand_are_those_of_autograd(network: _TwoLayers, batch: dict[str, np.ndarray]) -> None:
    wanted, gradients = _by_hand(network, batch)
    lost = cross_entropy(network(torch.from_numpy(batch["image"]))["logits"], torch.from_numpy(batch["classes"]))
    lost.backward()  # type: ignore[no-untyped-call]
    assert float(lost.detach()) == pytest.approx(wanted, abs=1e-12)
    for name, weight in network.named_parameters():
        assert weight.grad is not None
        assert np.abs(weight.grad.numpy() - gradients[name]).max() < 1e-12


def test_a_step_by_hand_is_a_step_of_the_loop(network: _TwoLayers, batch: dict[str, np.ndarray]) -> None:
    """Three steps of plain descent, each the rate times the gradient and nothing else."""
    settings = Settings(optimiser="sgd", rate=RATE, decay=0.0, clip=0.0, average=0.0)
    task, facts = _Task(), Facts({"image": InputSpec((1, 1))}, tuple("abc"))
    learner = Learner(task, network, settings, Choices("cpu", "float32", "plain", 1))
    for step in range(3):
        wanted, gradients = _by_hand(network, batch)
        before = {name: value.detach().numpy().copy() for name, value in network.named_parameters()}
        parts = Stepper(task, facts, learner).take([batch], step, 1.0, 0.0)
        assert parts["names"] == pytest.approx(wanted, abs=1e-6)
        for name, weight in network.named_parameters():
            assert np.abs(weight.detach().numpy() - (before[name] - RATE * gradients[name])).max() < 1e-6


def test_a_long_gradient_is_cut_to_length(network: _TwoLayers, batch: dict[str, np.ndarray]) -> None:
    settings = Settings(optimiser="sgd", rate=RATE, decay=0.0, clip=0.01, average=0.0)
    task, facts = _Task(), Facts({"image": InputSpec((1, 1))}, tuple("abc"))
    learner = Learner(task, network, settings, Choices("cpu", "float32", "plain", 1))
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    Stepper(task, facts, learner).take([batch], 0, 1.0, 0.0)
    moved = [(value.detach() - before[name]).square().sum() for name, value in network.named_parameters()]
    assert float(torch.stack(moved).sum().sqrt()) == pytest.approx(0.01 * RATE, rel=1e-3)
