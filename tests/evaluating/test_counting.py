"""Counts equal what is worked out by hand."""

import torch
from torch import nn

from sightline.evaluating.counting import count_multiplications, count_parameters


def test_a_convolution_by_hand() -> None:
    """8 x 8 places, 16 filters of 3 x 3 over 5 channels: 46,080 products and 736 numbers."""
    network = nn.Conv2d(5, 16, 3, padding=1)
    assert count_multiplications(network, torch.zeros(1, 5, 8, 8)) == 8 * 8 * 16 * 3 * 3 * 5 == 46_080
    assert count_parameters(network) == 16 * 5 * 9 + 16


def test_groups_strides_and_batches() -> None:
    """In 4 groups each filter sees 2 of 8 channels; stride 2 leaves 4 x 4 places; two pictures cost twice."""
    network = nn.Conv2d(8, 8, 3, 2, 1, groups=4)
    assert count_multiplications(network, torch.zeros(2, 8, 8, 8)) == 2 * 4 * 4 * 8 * 3 * 3 * 2


def test_linear_layers_add_up_and_nothing_else_does() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 2))
    assert count_multiplications(network, torch.zeros(3, 12)) == 3 * (12 * 7 + 7 * 2)


def test_functions_are_counted_like_layers() -> None:
    class Bare(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.conv2d(x, torch.zeros(4, 3, 2, 2)).flatten(1) @ torch.zeros(16, 5)

    assert count_multiplications(Bare(), torch.zeros(1, 3, 3, 3)) == 4 * 4 * 3 * 2 * 2 + 16 * 5
