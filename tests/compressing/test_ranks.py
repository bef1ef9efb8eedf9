"""Two layers for one: exact where nothing is left out, and as far off as what was left out."""

import pytest
import torch
from torch import nn

from sightline.compressing.methods.ranks import rank_of, take_apart, two


@pytest.mark.parametrize("bias", [True, False])
def test_at_full_rank_nothing_changes(bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(12, 8, 3, stride=2, padding=1, bias=bias)
    x = torch.randn(2, 12, 9, 9)
    assert torch.allclose(two(layer, 8)(x), layer(x), atol=1e-4)
    matrix = nn.Linear(20, 6, bias=bias)
    x = torch.randn(3, 20)
    assert torch.allclose(two(matrix, 6)(x), matrix(x), atol=1e-4)


def test_the_error_is_the_energy_left_out() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(30, 20, bias=False)
    first, last = two(layer, 5)
    made = (last.weight @ first.weight).detach()
    values = torch.linalg.svdvals(layer.weight.detach())
    assert float((made - layer.weight.detach()).norm()) == pytest.approx(float(values[5:].norm()), rel=1e-3)


def test_only_wide_layers_are_taken_apart() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3), nn.Conv2d(64, 64, 3, groups=64), nn.Flatten(), nn.Linear(64, 10)
    )
    assert [rank_of(layer, 0.5) > 0 for layer in network] == [False, True, False, False, False]
    before = 64 * 64 * 9
    assert take_apart(network, 0.5) == 1
    assert sum(p.numel() for p in network[1].parameters() if p.ndim > 1) <= 0.5 * before
    assert network(torch.randn(1, 3, 7, 7)).shape == (1, 10)
