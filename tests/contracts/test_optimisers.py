"""What every optimiser promises; a new one is found by itself."""

import pytest
import torch
from torch import nn

from sightline.core import catalog
from sightline.tasks.classify import Classify
from sightline.training.choices import Choices
from sightline.training.learner import Learner
from sightline.training.settings import Settings

NAMES = catalog.names("optimisers")
RATES = {"sgd": 0.05, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.5, "adadelta": 50.0}
OTHERS = 0.05  # they step by about their rate, whatever the slope
SLOPES = torch.tensor([1.0, 10.0])  # a valley ten times as steep one way as the other


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _lost(weight: torch.Tensor) -> torch.Tensor:
    return (SLOPES * (weight - 1).square()).sum() / 2


def test_it_finds_the_bottom_of_a_valley(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([-2.0, 3.0]))
    optimiser = catalog.find("optimisers", name)([weight], RATES.get(name, OTHERS), 0.0)
    before = float(_lost(weight).detach())
    for step in range(400):
        for group in optimiser.param_groups:
            group["lr"] = RATES.get(name, OTHERS) * (1 - step / 400)
        optimiser.zero_grad()
        _lost(weight).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(_lost(weight).detach()) < 1e-4 * before


def test_decay_pulls_weights_to_zero_and_only_where_asked(name: str) -> None:
    """With no slope at all, decay alone shrinks a weight; without decay it stays."""
    for decay, shrinks in ((0.1, True), (0.0, False)):
        weight = torch.nn.Parameter(torch.tensor([2.0]))
        optimiser = catalog.find("optimisers", name)([weight], 0.1, decay)
        for _ in range(5):
            weight.grad = torch.zeros(1)
            optimiser.step()
        assert (0 < float(weight.detach()) < 2) is shrinks
        assert shrinks or float(weight.detach()) == 2


def test_the_rate_can_be_set_from_outside(name: str) -> None:
    """The loop writes the scheduled rate into every group before a step: at rate 0 nothing moves."""
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimiser = catalog.find("optimisers", name)([{"params": [weight], "weight_decay": 0.1}], 0.1, 0.1)
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    weight.grad = torch.ones(1)
    optimiser.step()
    assert float(weight.detach()) == 2


def test_what_it_remembers_can_be_put_away_and_taken_out(name: str) -> None:
    """Continuing from a copy of the state gives the same bits as going on."""
    ends = []
    for interrupted in (False, True):
        weight = torch.nn.Parameter(torch.tensor([-2.0, 3.0]))
        optimiser = catalog.find("optimisers", name)([weight], 0.01, 0.01)
        for step in range(6):
            if interrupted and step == 3:
                saved = optimiser.state_dict()
                weight = torch.nn.Parameter(weight.detach().clone())
                optimiser = catalog.find("optimisers", name)([weight], 0.01, 0.01)
                optimiser.load_state_dict(saved)
            optimiser.zero_grad()
            _lost(weight).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        ends.append(weight.detach())
    assert torch.equal(*ends)


def test_it_has_a_usual_rate_and_decay(name: str) -> None:
    """What a run takes that names none; the signature says it."""
    settings = Settings(optimiser=name).settled()
    assert settings.rate is not None
    assert settings.decay is not None
    assert 1e-4 <= settings.rate <= 1
    assert 0 <= settings.decay <= 0.1
    assert Settings(optimiser=name, rate=0.5, decay=0.25).settled() == Settings(optimiser=name, rate=0.5, decay=0.25)


def test_every_shape_of_weight_learns_and_state_survives_a_checkpoint(name: str) -> None:
    """Groups as the loop makes them, of a network with filters, filters of one channel, a matrix, norms and biases."""
    ends = []
    for interrupted in (False, True):
        learner = _learner(name)
        x, wanted = torch.ones(4, 2, 6, 6), torch.eye(3)[[0, 1, 2, 0]]
        lost = []
        for step in range(8):
            if interrupted and step == 4:
                kept = {key: value.clone() for key, value in learner.tensors().items()}
                learner = _learner(name)
                learner.restore(kept)
            (optimiser,) = learner.optimisers.values()
            optimiser.zero_grad()
            loss = (learner.network(x + torch.arange(4.0).view(4, 1, 1, 1)) - wanted).square().mean()
            loss.backward()
            before = [p.detach().clone() for p in learner.network.parameters()]
            optimiser.step()
            moved = [not torch.equal(a, b) for a, b in zip(before, learner.network.parameters(), strict=True)]
            assert all(moved[-2:]), "the layer that answers learns"
            assert sum(moved) >= len(moved) - 1, "a bias before a norm may have no slope"
            lost.append(float(loss.detach()))
        assert lost[-1] < lost[0]
        ends.append(torch.cat([p.detach().flatten() for p in learner.network.parameters()]))
    assert torch.equal(*ends)


def _learner(name: str) -> Learner:
    torch.manual_seed(3)
    layers = [nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3, groups=4), nn.GroupNorm(2, 4), nn.GELU(), nn.Flatten()]
    network = nn.Sequential(*layers, nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 3))
    return Learner(Classify(), network, Settings(optimiser=name), Choices("cpu", "float32", "plain", 1))
