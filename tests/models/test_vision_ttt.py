"""Vision-TTT: the form without states equals the one with them, gradients equal autograd, and published savings."""

import pytest
import torch
from torch.nn import functional

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import vision_ttt, vit, vit3

Drawn = dict[str, torch.Tensor]


def _drawn(tokens: int = 7, heads: int = 2, width: int = 5) -> Drawn:
    chance = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=chance)

    sides = {name: draw(3, heads, tokens, width) for name in ("query", "key", "value")}
    steps = torch.tril(torch.rand(3, heads, tokens, tokens, dtype=torch.float64, generator=chance))
    state = (draw(heads, width, width), draw(heads, 1, width))
    return {**sides, "steps": steps, "state": state, "affine": (draw(heads, 1, width), draw(heads, 1, width))}  # type: ignore[dict-item]


def test_dual_equals_primal() -> None:
    drawn = _drawn()
    ours, (weight, bias) = vision_ttt.dual(**drawn)
    theirs, (weight_too, bias_too) = vision_ttt.primal(**drawn)
    for one, other in ((ours, theirs), (weight, weight_too), (bias, bias_too)):
        assert float((one - other).detach().abs().max()) < 1e-10


def test_the_inner_gradient_equals_autograd() -> None:
    drawn = _drawn()
    made = (drawn["key"] @ drawn["state"][0] + drawn["state"][1]).requires_grad_()
    scale, shift = drawn["affine"]
    answered = drawn["key"] + functional.layer_norm(made, made.shape[-1:], eps=vision_ttt.EPSILON) * scale + shift
    (wanted,) = torch.autograd.grad(0.5 * (answered - drawn["value"]).square().sum(), made)
    ours = vision_ttt.slope(drawn["key"], drawn["value"], drawn["state"], drawn["affine"])
    assert float((ours - wanted).detach().abs().max()) < 1e-10


def test_one_token_at_a_time_is_plain_gradient_descent() -> None:
    """With batches of one, each state is the last minus rate times the gradient that autograd finds for W and b."""
    drawn = _drawn(tokens=5)
    state = tuple(part.expand(3, *part.shape).clone() for part in drawn["state"])
    scale, shift = drawn["affine"]
    plain = tuple(part.clone() for part in state)
    for token in range(5):
        part = {name: drawn[name][:, :, token : token + 1] for name in ("query", "key", "value")}
        steps = drawn["steps"][:, :, token : token + 1, token : token + 1]
        made, state = vision_ttt.dual(**part, steps=steps, state=state, affine=drawn["affine"])
        weight, bias = (each.detach().requires_grad_() for each in plain)
        inner = functional.layer_norm(part["key"] @ weight + bias, (5,), eps=vision_ttt.EPSILON) * scale + shift
        slopes = torch.autograd.grad(0.5 * (part["key"] + inner - part["value"]).square().sum(), (weight, bias))
        plain = (weight.detach() - steps * slopes[0], bias.detach() - steps * slopes[1])
        asked = part["query"] @ plain[0] + plain[1]
        wanted = vision_ttt.answer(part["query"], asked, drawn["affine"])
        assert float((made - wanted).detach().abs().max()) < 1e-10
        assert all(float((one - other).detach().abs().max()) < 1e-10 for one, other in zip(state, plain, strict=True))


def test_without_norm_or_residual_a_state_is_linear_attention() -> None:
    """A state that begins at zero and answers q W has learnt the sum of v k of all keys so far."""
    drawn = _drawn()
    query, key, value = (drawn[name] for name in ("query", "key", "value"))
    state = torch.zeros(3, 2, 5, 5, dtype=torch.float64)
    pull = key @ state - value  # of |k W - v|^2 / 2 where W is zero
    read = query @ state - torch.tril(query @ key.transpose(-2, -1)) @ pull
    wanted = torch.stack(
        [
            query[:, :, t] @ torch.zeros(5, 5).double()
            + sum((query[:, :, t] * key[:, :, s]).sum(-1, keepdim=True) * value[:, :, s] for s in range(t + 1))
            for t in range(7)
        ],
        2,
    )
    assert float((read - wanted).detach().abs().max()) < 1e-10


def test_reading_backwards_is_reading_the_turned_picture_forwards() -> None:
    """With both states alike and a symmetric kernel, a turned picture gives the turned answer."""
    torch.manual_seed(0)
    mixer = vision_ttt.Learning(64, batch=8).double()
    with torch.no_grad():
        for weight in (mixer.weight, mixer.bias, mixer.scale, mixer.shift, mixer.pace.weight, mixer.pace.bias):
            weight.copy_(torch.randn(weight.shape[0] // 2, *weight.shape[1:]).repeat(2, *[1] * (weight.ndim - 1)))
        mixer.near.weight.copy_((mixer.near.weight + mixer.near.weight.flip(2, 3)) / 2)
    x = torch.randn(2, 20, 64, dtype=torch.float64)
    assert float((mixer(x.flip(1), (4, 5)).flip(1) - mixer(x, (4, 5))).detach().abs().max()) < 1e-10


def test_how_far_a_state_moves() -> None:
    """Token t asks a state moved by s <= t only, by its own patience (1 / t to begin with) times the pace of s."""
    mixer = vision_ttt.Learning(64, batch=4).double()
    pace = torch.tensor([[[2.0, 3.0, 5.0]]], dtype=torch.float64)
    wanted = torch.tensor([[2, 0, 0], [1, 1.5, 0], [2 / 3, 1, 5 / 3]], dtype=torch.float64)
    assert torch.allclose(mixer._steps(pace)[0, 0], wanted)
    with torch.no_grad():
        mixer.later.copy_(torch.tensor([0.5, -9, 0, 0]))
    wanted = torch.tensor([[3, 0, 0], [0, 0, 0], [2 / 3, 1, 5 / 3]], dtype=torch.float64)
    assert torch.allclose(mixer._steps(pace)[0, 0], wanted), "learnt, and never backwards"


def test_a_token_learns_from_those_before_it_and_not_from_those_behind() -> None:
    drawn = _drawn()
    made, _ = vision_ttt.dual(**drawn)
    drawn["key"] = drawn["key"].clone()
    drawn["key"][:, :, 4] += 1
    moved = (vision_ttt.dual(**drawn)[0] - made).abs().amax((0, 1, 3))
    assert (moved > 1e-9).tolist() == [False] * 4 + [True] * 3


# size -> parameters with 1000 names; the paper prints none
SIZES = {"t": 6_546_928, "s": 24_621_688, "b": 95_358_856}


@pytest.mark.parametrize("size", SIZES)
def test_sizes(size: str) -> None:
    with torch.device("meta"):
        assert count_parameters(vision_ttt.published(size)) == SIZES[size]


def _cost(network: torch.nn.Module) -> int:
    return count_multiplications(network.to("meta").eval(), torch.zeros(1, 3, 1280, 1280, device="meta"))


def test_it_saves_what_the_paper_says_at_1280() -> None:
    """Published: 79.4 % less than DeiT-T. The full-batch form saves more."""
    costs = {}
    for model, settings in ((vit, {"naive": True}), (vision_ttt, {}), (vit3, {})):
        one, two = (_cost(model.build(depth=depth, **settings)) for depth in (1, 2))
        costs[model] = one + 11 * (two - one)  # one block costs as much as another
    assert costs[vit] == pytest.approx(223.7e9, rel=1e-3)
    assert 1 - costs[vision_ttt] / costs[vit] >= 0.794
    assert 1 - costs[vit3] / costs[vit] >= 0.82
