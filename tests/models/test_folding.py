"""Layers and networks that give pictures, and what is published of them."""

import pytest
import torch

from sightline.core import catalog
from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import dncnn, drunet, espcn, ffdnet, imdn, nafnet
from sightline.models._folding import Folded

NAMES = ("dncnn", "drunet", "espcn", "ffdnet", "imdn", "nafnet")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_the_answer_is_so_many_times_as_large(name: str, scale: int) -> None:
    network = catalog.find("models", name).build(1, scale=scale).eval()
    for rows, columns in ((1, 1), (7, 10)):
        with torch.inference_mode():
            assert network(torch.rand(1, 1, rows, columns)).shape == (1, 1, scale * rows, scale * columns)


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_by_adding_nothing(name: str) -> None:
    network = catalog.find("models", name).build(3, scale=2).eval()
    with torch.inference_mode():
        assert not bool(network(torch.rand(1, 3, 9, 8)).any())


def test_folding_and_unfolding_keep_every_pixel_where_it_was() -> None:
    """With layers that pass the middle of their window on, what goes in comes out: at any size."""
    network = Folded(2, 8, torch.nn.Identity(), fold=2)
    with torch.no_grad():
        for layer in (network.enter, network.leave):
            layer.weight.zero_()
            layer.weight[:, :, 1, 1] = torch.eye(8)
            layer.bias.zero_()
    picture = torch.rand(2, 2, 7, 9)
    assert torch.equal(network(picture), picture)


def test_a_pixel_is_enlarged_in_its_own_place() -> None:
    network = Folded(1, 1, torch.nn.Identity(), scale=3)
    with torch.no_grad():
        network.enter.weight.zero_()[0, 0, 1, 1] = 1
        network.enter.bias.zero_()
        network.leave.weight.zero_()[:, 0, 1, 1] = 1
    picture = torch.rand(1, 1, 4, 5)
    assert torch.allclose(network(picture), picture.repeat_interleave(3, 2).repeat_interleave(3, 3), atol=1e-6)


def test_the_published_size_of_dncnn() -> None:
    """Gray, 17 layers: 2 x 576 + 64 x 64 x 9 x 15 weights and a scale and a shift for 15 norms; biases at both ends."""
    ends, middle = (576 + 64) + (576 + 1), 15 * (64 * 64 * 9 + 2 * 64)
    assert count_parameters(dncnn.build(1)) == ends + middle == 556_097
    cost = count_multiplications(dncnn.build(1).eval(), torch.zeros(1, 1, 40, 40))
    assert cost == 40 * 40 * (2 * 576 + 15 * 64 * 64 * 9)


def test_espcn_has_the_kernels_of_its_paper() -> None:
    """5-3-3 with 64 and 32 channels between them; x3 of one channel."""
    assert count_parameters(espcn.build(1, scale=3)) == (25 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 9 + 9)


def test_folding_quarters_the_cost() -> None:
    whole = count_multiplications(ffdnet.build(1, fold=1).eval(), torch.zeros(1, 1, 64, 64))
    folded = count_multiplications(ffdnet.build(1, fold=2).eval(), torch.zeros(1, 1, 64, 64))
    assert 3.8 < whole / folded < 4.1


def test_drunet_sees_farther_than_a_stack_of_the_same_cost() -> None:
    def reach(network: torch.nn.Module) -> int:
        torch.nn.init.normal_(network.leave.weight)
        picture = torch.rand(1, 1, 128, 128, requires_grad=True)
        network(picture)[0, 0, 64, 64].backward()
        assert picture.grad is not None
        return int((picture.grad[0, 0, 64].abs() > 0).sum())

    torch.manual_seed(0)
    assert reach(drunet.build(1)) > 1.5 * reach(ffdnet.build(1))


def test_quarters_are_kept_at_every_layer_of_imdn() -> None:
    block = imdn.build(1).body.blocks[0]
    assert [layer.in_channels for layer in block.layers] == [32, 24, 24]
    assert block.last.out_channels == block.kept == 8


def test_gates_multiply_halves() -> None:
    assert nafnet._gate(torch.tensor([[2.0, 3.0, 5.0, 7.0]])).tolist() == [[10.0, 21.0]]


def test_the_norm_of_nafnet_looks_at_one_pixel_at_a_time() -> None:
    x = torch.rand(1, 8, 3, 3) * 5 + 2
    made = nafnet._Norm(8)(x)
    assert torch.allclose(made.mean(1), torch.zeros(1, 3, 3), atol=1e-5)
    assert torch.allclose(made.var(1, correction=0), torch.ones(1, 3, 3), atol=1e-3)
