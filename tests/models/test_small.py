"""The small residual network, layer by layer."""

import torch

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import small


def test_cost_and_size_layer_by_layer() -> None:
    """A 3 x 3 convolution costs 9 x before x after at each place it answers for; norms hold two numbers a channel."""
    width = 24
    cost, numbers, before = 32 * 32 * 9 * 3 * width, 9 * 3 * width + 2 * width, width
    for level, after in enumerate((24, 48, 96, 192)):
        side = 16 // 2**level
        cost += side * side * 9 * (before * after + 2 * after * after)
        numbers += 9 * (before * after + 2 * after * after) + 3 * 2 * after
        before = after
    network = small.build(3, width=width).eval()
    assert count_multiplications(network, torch.zeros(1, 3, 64, 64)) == cost
    assert count_parameters(network) == numbers == small.PARAMETERS


def test_each_block_begins_as_the_identity() -> None:
    torch.manual_seed(0)
    block = small._Residual(8).eval()
    x = torch.randn(2, 8, 6, 6)
    assert torch.allclose(block(x), torch.nn.functional.silu(x))


def test_more_blocks_and_width_are_settings() -> None:
    assert small.build(width=16, blocks=2).widths == (16, 32, 64, 128)
    assert count_parameters(small.build(blocks=2)) > small.PARAMETERS
