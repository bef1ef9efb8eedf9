"""The fast small network: its first layer takes pictures apart evenly, and loses nothing."""

import pytest
import torch

from sightline.core.inputs import InputSpec
from sightline.heads.pooled import labels
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


def test_every_convolution_begins_by_handing_on_what_it_is_given() -> None:
    torch.manual_seed(0)
    for level in quick.build(size="s").levels:
        for layer in (level.first, level.second):
            x = torch.randn(2, layer.in_channels, 6, 6)
            made = layer(x).detach()
            assert torch.equal(made[:, : layer.in_channels], x)
            assert made.shape[1] == layer.in_channels or made[:, layer.in_channels :].std() > 0


@pytest.mark.parametrize(("side", "whole"), [(8, True), (7, True), (1, True), (8, False), (7, False)])
def test_a_compiler_sees_another_pooling_that_gives_the_same(side: int, whole: bool) -> None:
    x = torch.randn(2, 3, side, side + 1, generator=torch.Generator().manual_seed(side))
    compiled = torch.compile(halved, backend="eager", dynamic=False)
    seen: list[torch.Tensor] = []
    for pooled in (halved, compiled):
        given = x.clone().requires_grad_()
        made = pooled(given, whole=whole)
        made.square().sum().backward()
        assert given.grad is not None
        seen += [made.detach(), given.grad]
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    up = int(whole)
    assert seen[0].shape == (2, 3, (side + up) // 2, (side + 1 + up) // 2)


@pytest.mark.parametrize(
    ("side", "rows", "narrow"),
    [(32, [16, 8, 4], [15, 7, 3]), (33, [17, 9, 5], [16, 8, 4]), (8, [4, 2, 1], [3, 2, 1]), (1, [1, 1, 1], [1, 1, 1])],
)
def test_a_head_that_pools_has_whole_windows_alone(side: int, rows: list[int], narrow: list[int]) -> None:
    """Every other head has a row for what is left over; of tiny pictures nothing is left out."""
    for built, wanted in ((quick.build(size="s"), rows), (_under_a_head(side), narrow)):
        maps = built.eval()(torch.zeros(2, 3, side, side))
        assert [each.shape[-1] for each in maps] == [each.shape[-2] for each in maps] == wanted


def _under_a_head(side: int) -> torch.nn.Module:
    model: torch.nn.Module = labels(quick.build(size="s"), InputSpec((side, side), 3), 2).model  # type: ignore[assignment]
    return model
