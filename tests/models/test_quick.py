"""The fast small network: its first layer takes pictures apart evenly, and loses nothing."""

import pytest
import torch

from sightline.models import quick
from sightline.models._layers import halved


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_waves_are_orthonormal_and_complete(channels: int) -> None:
    taps = quick.waves(channels).flatten(1)
    assert taps.shape == (4 * channels, 4 * channels)
    assert float((taps @ taps.T - torch.eye(4 * channels)).detach().abs().max()) < 1e-6
    assert float(taps[0].std()) < 1e-6, "the first is the mean of all"


def test_the_first_layer_gives_every_wave_the_same_strength() -> None:
    """Neighbours alike and channels alike, as in photographs: before, strengths differ a hundredfold."""
    torch.manual_seed(0)
    x = torch.randn(8, 1, 16, 16).repeat_interleave(3, 1).cumsum(3) + 0.1 * torch.randn(8, 3, 16, 16)
    network = quick.build(size="s").train()
    before = network.apart(x).detach().var((0, 2, 3))
    after = network.even(network.apart(x)).detach().var((0, 2, 3))
    assert float(before.max() / before.min()) > 100
    assert after.numpy() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("side", [8, 7, 1])
def test_a_compiler_sees_another_pooling_that_gives_the_same(side: int) -> None:
    x = torch.randn(2, 3, side, side + 1, generator=torch.Generator().manual_seed(side))
    compiled = torch.compile(halved, backend="eager", dynamic=False)
    seen: list[torch.Tensor] = []
    for pooled in (halved, compiled):
        given = x.clone().requires_grad_()
        made = pooled(given)
        made.square().sum().backward()
        assert given.grad is not None
        seen += [made.detach(), given.grad]
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    assert seen[0].shape == (2, 3, -(-side // 2), -(-(side + 1) // 2))
