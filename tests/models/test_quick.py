"""The fast small network: its first layer takes pictures apart evenly, and loses nothing."""

import pytest
import torch

from sightline.models import quick


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
