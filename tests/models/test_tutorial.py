"""The tutorial's network, layer by layer, and that it begins as the tutorial's does."""

import pytest
import torch

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import tutorial


def test_every_layer_is_the_published_one() -> None:
    network = tutorial.build()
    assert [count_parameters(layer) for layer in network.children()] == [896, 18_496, 36_928, 65_600, 650]
    assert count_parameters(network) == 122_570
    # outputs x taps: 30^2 x 32 x 27 + 13^2 x 64 x 288 + 4^2 x 64 x 576 + 1024 x 64 + 64 x 10
    assert count_multiplications(network, torch.zeros(1, 3, 32, 32)) == 4_548_608


def test_it_begins_with_glorots_spread_and_no_bias() -> None:
    torch.manual_seed(0)
    for layer in tutorial.build().children():
        weight = layer.weight
        taps = weight[0, 0].numel()
        bound = (6 / ((weight.shape[0] + weight.shape[1]) * taps)) ** 0.5
        assert 0.9 * bound < float(weight.detach().abs().max()) <= bound
        assert not layer.bias.any()


@pytest.mark.parametrize("size", [(18, 18), (28, 28), (50, 37), (224, 224)])
def test_other_sizes_are_averaged_down(size: tuple[int, int]) -> None:
    network = tutorial.build(1, 4).eval()
    assert network(torch.zeros(2, 1, *size)).shape == (2, 4)
