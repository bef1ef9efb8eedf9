"""The inner step of ViT3: closed gradients against autograd, what the convolution sees, and published costs."""

import pytest
import torch
from torch.nn import functional

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import vit3


def _drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def test_gradients_of_the_gated_map_equal_autograd() -> None:
    torch.manual_seed(0)
    key, value = _drawn(2, 3, 10, 5), _drawn(2, 3, 10, 5)
    weights = [_drawn(2, 3, 5, 5).requires_grad_(), _drawn(2, 3, 5, 5).requires_grad_()]
    made = (key @ weights[0]) * functional.silu(key @ weights[1])
    loss = -(made * value).sum() / 10 * 9**-0.5
    wanted = torch.autograd.grad(loss, weights)
    for ours, theirs in zip(vit3.gradients_of_gate(key, value, *weights), wanted, strict=True):
        assert float((ours - theirs).detach().abs().max()) < 1e-10


def test_gradient_of_the_convolution_equals_autograd() -> None:
    torch.manual_seed(0)
    key, value, kernel = _drawn(2, 4, 5, 6), _drawn(2, 4, 5, 6), _drawn(2, 4, 9).requires_grad_()
    made = functional.conv2d(key.reshape(1, 8, 5, 6), kernel.view(8, 1, 3, 3), padding=1, groups=8).view_as(value)
    loss = -(made * value).sum() / 30 * 9**-0.5
    (wanted,) = torch.autograd.grad(loss, kernel)
    assert float((vit3.gradient_of_kernel(key, value) - wanted).detach().abs().max()) < 1e-10


def test_a_step_is_never_longer_than_one() -> None:
    torch.manual_seed(0)
    key, value, weight = 1e3 * _drawn(1, 2, 10, 5), _drawn(1, 2, 10, 5), _drawn(2, 5, 5)
    for after in vit3.trained_gate(key, value, weight, weight):
        lengths = (after - weight).norm(dim=-2)
        assert float(lengths.max()) < 1
        assert float(lengths.min()) > 0.9
    kernel = _drawn(3, 9)
    far = (vit3.trained_kernel(1e4 * _drawn(2, 3, 4, 4), _drawn(2, 3, 4, 4), kernel) - kernel).norm(dim=-1)
    assert 0.9 < float(far.min()) <= float(far.max()) < 1


def test_the_mixer_is_its_two_inner_networks() -> None:
    """The whole mixer, spelt out with torch's own convolution and autograd's gradients."""
    torch.manual_seed(0)
    mixer, grid = vit3.Trained(12, 2).double(), (3, 4)
    x = _drawn(1, 12, 12)
    rest = mixer.enter(x)
    query, key, value = (rest[0, :, 12 * at : 12 * at + 12].view(12, 2, 6).transpose(0, 1) for at in range(3))
    ask, learn, wanted = (rest[0, :, 36 + 6 * at : 42 + 6 * at].T.reshape(6, *grid) for at in range(3))
    linear, gate, kernel = (w.detach().clone().requires_grad_() for w in (mixer.linear, mixer.gate, mixer.kernel))
    made = (key @ linear) * functional.silu(key @ gate)
    seen = functional.conv2d(learn[None], kernel.view(6, 1, 3, 3), padding=1, groups=6)[0]
    loss = -((made * value).sum() + (seen * wanted).sum()) / 12 / 3
    slopes = torch.autograd.grad(loss, (linear, gate, kernel))
    held = [slope / (slope.norm(dim=axis, keepdim=True) + 1) for slope, axis in zip(slopes, (-2, -2, -1), strict=True)]
    gated = (query @ (linear - held[0])) * functional.silu(query @ (gate - held[1]))
    answered = functional.conv2d(ask[None], (kernel - held[2]).view(6, 1, 3, 3), padding=1, groups=6)[0]
    whole = torch.cat([gated.transpose(0, 1).reshape(12, 12), answered.reshape(6, 12).T], 1)
    assert float((mixer(x, grid)[0] - mixer.leave(whole)).detach().abs().max()) < 1e-10


# size -> parameters and multiplications with 1000 names at 224 x 224; published: 6M 1.2G, 24M 4.8G, 90M 18.0G
PUBLISHED = {"t": (6_164_008, 1.214e9), "s": (23_828_584, 4.798e9), "b": (90_114_280, 17.92e9)}


@pytest.mark.parametrize("size", PUBLISHED)
def test_published_sizes_and_costs(size: str) -> None:
    with torch.device("meta"):
        network = vit3.published(size).eval()
        cost = count_multiplications(network, torch.zeros(1, 3, 224, 224))
    assert count_parameters(network) == PUBLISHED[size][0]
    assert cost == pytest.approx(PUBLISHED[size][1], rel=1e-3)
