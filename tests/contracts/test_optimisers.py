"""What every optimiser promises; a new one is found by itself."""

import pytest
import torch

from sightline.core import catalog

NAMES = catalog.names("optimisers")
RATES = {"sgd": 0.05, "momentum": 0.02}  # the others step by about their rate, whatever the slope
SLOPES = torch.tensor([1.0, 10.0])  # a valley ten times as steep one way as the other


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _lost(weight: torch.Tensor) -> torch.Tensor:
    return (SLOPES * (weight - 1).square()).sum() / 2


def test_it_finds_the_bottom_of_a_valley(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([-2.0, 3.0]))
    optimiser = catalog.find("optimisers", name)([weight], RATES.get(name, 0.05), 0.0)
    before = float(_lost(weight).detach())
    for step in range(300):
        for group in optimiser.param_groups:
            group["lr"] = RATES.get(name, 0.05) * (1 - step / 300)
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
