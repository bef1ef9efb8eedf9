"""The plain vision transformer: both ways to attend agree, and its sizes are DeiT's less the class token."""

import pytest
import torch

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import vit


def test_fused_and_written_out_attention_agree() -> None:
    torch.manual_seed(0)
    fused, naive = vit.Attention(24, 3).double(), vit.Attention(24, 3, naive=True).double()
    naive.load_state_dict(fused.state_dict())
    x = torch.randn(2, 30, 24, dtype=torch.float64)
    assert float((fused(x, (5, 6)) - naive(x, (5, 6))).detach().abs().max()) < 1e-10


# DeiT has 5.717, 22.05 and 86.57 million with its class token, which holds a token and a place more.
@pytest.mark.parametrize(
    ("size", "deit", "width", "cost"),
    [
        ("t", 5_717_416, 192, 1.247e9),
        ("s", 22_050_664, 384, 4.574e9),
        ("b", 86_567_656, 768, 17.47e9),
    ],
)
def test_published_sizes_and_costs(size: str, deit: int, width: int, cost: float) -> None:
    with torch.device("meta"):
        network = vit.published(size).eval()
        counted = count_multiplications(network, torch.zeros(1, 3, 224, 224))
    assert count_parameters(network) == deit - 2 * width
    assert counted == pytest.approx(cost, rel=1e-3)


def test_places_are_told_apart() -> None:
    """Two patches swapped give another answer than the answers swapped."""
    torch.manual_seed(0)
    network = vit.build(size="t/4", depth=1).eval()
    with torch.no_grad():
        network.place.normal_()
    x = torch.randn(1, 3, 32, 32)
    turned = network(x.roll(4, 3))[0]
    assert float((turned - network(x)[0].roll(1, 3)).detach().abs().max()) > 0.01
