"""The curves of each family against their definitions."""

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from sightline.models import kan


def test_splines_are_the_cubic_b_splines_of_an_even_grid() -> None:
    """Against scipy's recursion over knots; inside the grid they sum to one."""
    count, step = 8, 4 / 7
    x = torch.linspace(-3, 3, 97, dtype=torch.float64)
    ours = kan.Splines(1, count)(x[None, None, :, None])[0, :, :, 0].numpy()
    for place in range(count):
        centre = -2 + step * place
        knots = centre + step * np.arange(-2, 3)
        theirs = np.nan_to_num(BSpline.basis_element(knots, extrapolate=False)(x.numpy()))
        assert np.abs(ours[place] - theirs).max() < 1e-12
    inside = np.abs(x.numpy()) < 2 - step
    assert ours.sum(0)[inside] == pytest.approx(1.0)


def test_bumps_are_gaussians_one_step_wide() -> None:
    step = 4 / 7
    x = torch.tensor([-2.0, -2 + step, 0.3])
    made = kan.Bumps(1)(x.view(1, 1, 3, 1))[0, :, :, 0]
    for place in range(8):
        assert made[place].numpy() == pytest.approx(np.exp(-(((x + 2) / step - place) ** 2).numpy()), rel=1e-5)


@pytest.mark.parametrize("points", [8, 16, 33])
def test_gram_polynomials_are_orthonormal_on_even_points(points: int) -> None:
    x = torch.arange(1, points + 1, dtype=torch.float64)
    made = torch.stack(kan.gram((2 * x - 1 - points) / points, 5, points))
    assert float((made @ made.T / points - torch.eye(6, dtype=torch.float64)).detach().abs().max()) < 1e-10


def test_a_rational_begins_as_silu_and_divides_by_no_zero() -> None:
    layer = kan.Rational(16)
    x = torch.linspace(-4, 4, 400).repeat(16, 1)[None, :, :, None]
    assert float((layer(x) - torch.nn.functional.silu(x)).detach().abs().max()) < 2e-5
    with torch.no_grad():
        layer.below.copy_(torch.tensor([-1.0, 0, 0, 0]).repeat(8, 1))  # without its bars, 1 - x / 4 is zero at 4
        assert bool((layer(torch.full((1, 16, 1, 1), 4.0)).abs() < 10).all())
        layer.below.normal_(std=10)
    assert bool(torch.isfinite(layer(torch.randn(2, 16, 9, 9) * 100)).all())


def test_each_group_of_channels_has_its_own_quotient() -> None:
    layer = kan.Rational(16)
    with torch.no_grad():
        layer.above[3] += 1
    x = torch.randn(1, 16, 5, 5)
    apart = (layer(x) - kan.Rational(16)(x)).detach().abs().amax((0, 2, 3))
    assert (apart > 1e-3).nonzero().flatten().tolist() == [6, 7]
    assert kan.Rational(3).groups == 1


@pytest.mark.parametrize("family", kan.VARIANTS)
def test_every_family_learns(family: str) -> None:
    """A few steps on one batch lower the loss, whatever the curves."""
    torch.manual_seed(0)
    network = kan.build(2, size=family, widths=(8, 8, 8, 8))
    x, y = torch.randn(16, 2, 16, 16), torch.arange(16) % 2
    x[y == 1] = x[y == 1].cumsum(3) / 2
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(10):
        loss = torch.nn.functional.cross_entropy(network(x)[-1].mean((2, 3))[:, :2], y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2
