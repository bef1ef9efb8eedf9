"""The small hybrid: near parts first, far parts later."""

import torch

from sightline.models import hybrid


def test_only_the_later_levels_see_the_whole_picture() -> None:
    """A change in one corner stays near it while convolutions are at work, and is everywhere once tokens attend."""
    torch.manual_seed(0)
    network = hybrid.build().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape) * 0.02)
    for module in network.modules():
        if isinstance(module, hybrid.Squeeze):
            module.forward = lambda x: x  # it looks at the whole map by design
    x = torch.randn(1, 3, 256, 256)
    y = x.clone()
    y[..., :8, :8] += 1
    with torch.no_grad():
        apart = [(one - other).abs().amax(1)[0] for one, other in zip(network(x), network(y), strict=True)]
    far = [float(level[-1, -1]) for level in apart]
    assert far[0] == far[1] == 0
    assert far[2] > 0
    assert far[3] > 0


def test_blocks_of_convolutions_begin_as_the_identity() -> None:
    torch.manual_seed(0)
    block = hybrid._Separable(8)
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(block(x), x)
