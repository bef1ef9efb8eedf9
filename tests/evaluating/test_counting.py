"""Counts equal what is worked out by hand."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from sightline.evaluating.counting import count_multiplications, count_parameters

STEPS, ROWS, IN, OUT = 5, 3, 4, 8


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


@pytest.mark.parametrize(
    ("layer", "shape", "cost"),
    [
        (nn.LSTM(IN, OUT), (STEPS, ROWS, IN), STEPS * ROWS * 4 * OUT * (IN + OUT)),
        (nn.LSTM(IN, OUT, 2, bidirectional=True), (STEPS, ROWS, IN), STEPS * ROWS * 8 * OUT * (IN + OUT + 3 * OUT)),
        (nn.GRU(IN, OUT), (STEPS, ROWS, IN), STEPS * ROWS * 3 * OUT * (IN + OUT)),
        (
            nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, batch_first=True),
            (1, STEPS, 16),
            STEPS * 16 * (3 * 16 + 16 + 2 * 32) + 2 * STEPS * STEPS * 16,
        ),
    ],
)
@pytest.mark.parametrize("grad", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_what_torch_joins_into_one_operation_is_counted(
    layer: nn.Module, shape: tuple[int, ...], cost: int, grad: type
) -> None:
    torch.backends.mha.set_fastpath_enabled(True)
    with grad():
        assert count_multiplications(layer.eval(), torch.zeros(shape)) == cost
    assert torch.backends.mha.get_fastpath_enabled(), "it is as it was"


def test_counting_does_not_load_the_compiler() -> None:
    """It takes longer than evaluating a small run."""
    code = """
import sys, torch
from sightline.evaluating.counting import count_multiplications
assert count_multiplications(torch.nn.Linear(3, 4), torch.zeros(2, 3)) == 24
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
