"""The encoder and decoder with skips."""

import pytest
import torch

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import unet


def _block(before: int, after: int, places: int) -> tuple[int, int]:
    """Two 3 x 3 convolutions, a norm, and a 1 x 1 short cut where the width changes: products and numbers."""
    short = before * after if before != after else 0
    products = places * (9 * before * after + 9 * after * after + short)
    return products, 9 * before * after + 9 * after * after + 4 * after + short + (after if short else 0)


def test_cost_and_size_block_by_block() -> None:
    blocks = [
        (24, 24, 64), (24, 48, 32), (48, 96, 16), (96, 96, 8),  # down to the middle
        (96 + 96, 48, 16), (48 + 48, 24, 32), (24 + 24, 24, 64),  # up, each with its skip
    ]  # fmt: skip
    costs, sizes = zip(*(_block(before, after, side * side) for before, after, side in blocks), strict=True)
    ends = 2 * 64 * 64 * 9 * 3 * 24
    network = unet.build(3)
    assert count_multiplications(network, torch.zeros(1, 3, 64, 64)) == sum(costs) + ends
    assert count_parameters(network) == sum(sizes) + (9 * 3 * 24 + 24) + (9 * 24 * 3 + 3) == unet.PARAMETERS


def test_it_begins_by_changing_nothing() -> None:
    made = unet.build(3, width=8)(torch.randn(1, 3, 16, 16))
    assert not bool(made.any())


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (33, 16)])
def test_odd_sizes_come_back_as_they_were(size: tuple[int, int]) -> None:
    assert unet.build(2, width=8)(torch.randn(1, 2, *size)).shape == (1, 2, *size)


def test_it_hears_the_time() -> None:
    torch.manual_seed(0)
    network = unet.build(3, width=8, time=True)
    torch.nn.init.normal_(network.leave.weight)
    x = torch.randn(1, 3, 16, 16).repeat(2, 1, 1, 1)
    early, late = network(x, torch.tensor([0.1, 0.9])).detach()
    assert not torch.allclose(early, late)


def test_near_padding_does_not_leak_into_far_pixels() -> None:
    """A picture of 12 is padded to 16 inside; its first rows answer as if they lay in the longer picture."""
    torch.manual_seed(0)
    network = unet.build(1, width=8, depth=2)
    torch.nn.init.normal_(network.leave.weight)
    assert network(torch.randn(1, 1, 13, 12)).shape == (1, 1, 13, 12)
