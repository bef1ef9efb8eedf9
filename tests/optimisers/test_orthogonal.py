"""Steps made orthogonal: every direction of a matrix moves as far, whatever its gradient was."""

import pytest
import torch
from torch import nn

from sightline.optimisers._turning import FIFTH, orthogonal, turns
from sightline.optimisers.orthogonal import STRENGTH, muon


@pytest.mark.parametrize("shape", [(6, 6), (5, 40), (40, 5), (2, 300)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    uneven = left @ torch.diag(torch.linspace(0.05, 1, min(shape))) @ right
    made = orthogonal(uneven)
    values = torch.linalg.svdvals(made)
    assert made.shape == shape
    assert 0.6 < float(values.min()) <= float(values.max()) < 1.25
    assert float((left.T @ made @ right.T).diagonal().min()) > 0.6, "the same directions, none turned round"


def test_it_is_the_polynomial_of_the_paper() -> None:
    """Five times a x + b x x'x + c x x'x x'x, worked out on the singular values alone."""
    torch.manual_seed(1)
    matrix = torch.randn(4, 9)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    values = values / values.norm()
    for _ in range(5):
        values = FIFTH[0] * values + FIFTH[1] * values**3 + FIFTH[2] * values**5
    assert torch.allclose(orthogonal(matrix), left @ torch.diag(values) @ right, atol=1e-4)


def test_nothing_comes_of_nothing() -> None:
    assert not orthogonal(torch.zeros(3, 5)).any()
    assert bool(torch.isfinite(orthogonal(torch.full((3, 5), 1e-30))).all())


def test_a_step_has_the_strength_of_one_of_adam_whatever_the_gradient() -> None:
    for factor in (1e-6, 1.0, 1e6):
        torch.manual_seed(2)
        weight = nn.Parameter(torch.zeros(16, 8, 3, 3))
        weight.grad = torch.randn(16, 8, 3, 3) * factor
        muon([weight], 0.01, 0.0).step()
        assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.01 * STRENGTH, rel=0.25)


def test_what_mixes_nothing_is_left_to_adam() -> None:
    shapes = {(3,): False, (4, 1, 3, 3): False, (1, 8): False, (4, 2, 3, 3): True, (4, 8): True}
    for shape, wanted in shapes.items():
        assert turns(torch.zeros(shape)) is wanted, shape
    weight = nn.Parameter(torch.zeros(4, 8))
    weight.grad = torch.randn(4, 8)
    optimiser = muon([{"params": [weight], "last": True}], 0.01, 0.0)
    optimiser.step()
    assert torch.allclose(weight.detach().abs(), torch.tensor(0.01)), "the first step of Adam is its rate"
    assert "square" in optimiser.state[weight]
