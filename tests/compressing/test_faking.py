"""What learning feels is what the graph will do, and nothing else."""

import numpy as np
import torch
from torch import nn

from sightline.compressing.faking import Ends, feeling, rounded, unfelt


def plain() -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))
    for _ in range(4):
        made(torch.randn(8, 3, 8, 8) * 2 + 1)
    return made.eval()


def test_weights_lie_on_the_levels_of_their_channel() -> None:
    weight = torch.randn(5, 4, 3, 3) * torch.tensor([0.01, 1, 10, 0.1, 3])[:, None, None, None]
    made = rounded(weight)
    step = weight.flatten(1).abs().amax(1) / 127
    levels = made.flatten(1) / step[:, None]
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert ((made - weight).flatten(1).abs().amax(1) <= step / 2 * 1.001).all()


def test_gradients_pass_where_nothing_was_cut() -> None:
    ends = Ends()
    ends.low.fill_(-1.0)
    ends.high.fill_(2.0)
    x = torch.tensor([-3.0, -0.5, 0.0, 0.7, 1.9, 5.0], requires_grad=True)
    ends.eval()
    made = ends(x)
    made.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 0]
    step = 3 / 255
    assert np.abs((made.detach() / step).numpy() - np.rint((made.detach() / step).numpy())).max() < 1e-3
    assert float(made.detach()[2]) == 0.0


def test_the_ends_follow_what_passes_while_it_learns_only() -> None:
    ends = Ends()
    ends.train()(torch.tensor([-1.0, 4.0]))
    assert (float(ends.low), float(ends.high)) == (-1, 4)
    ends(torch.tensor([-1.0, 104.0]))
    assert float(ends.high) == 4 + 0.02 * 100
    before = float(ends.high)
    ends.eval()(torch.tensor([0.0, 1000.0]))
    assert float(ends.high) == before


def test_feeling_is_near_and_what_was_learnt_comes_back_whole() -> None:
    network, x = plain(), torch.randn(16, 3, 8, 8)
    felt = feeling(network)
    felt.train()
    felt(x)
    felt.eval()
    with torch.no_grad():
        wanted = network(x)
        assert 0 < float((felt(x) - wanted).abs().max()) < 0.1 * float(wanted.abs().max())
        assert torch.allclose(unfelt(network, felt)(x), wanted, atol=1e-4)
        felt.get_submodule("1").scale.mul_(2.0)  # type: ignore[operator,union-attr]
        felt.get_submodule("4").layer.bias.add_(1.0)  # type: ignore[operator,union-attr]
        again = unfelt(network, felt)
    assert torch.allclose(again[1].weight, 2 * network[1].weight, atol=1e-5)
    assert torch.allclose(again[4].bias, network[4].bias + 1)
    assert again.state_dict().keys() == network.state_dict().keys()
