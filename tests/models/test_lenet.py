"""LeNet-5, layer by layer."""

import torch

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import lenet


def test_every_layer_is_the_published_one() -> None:
    network = lenet.build(1, 10)
    assert [count_parameters(layer) for layer in network.children()] == [156, 2_416, 48_120 + 10_164, 850]
    assert count_parameters(network) == lenet.PARAMETERS == 61_706
    # 28^2 x 6 x 25 + 10^2 x 16 x 150 + 400 x 120 + 120 x 84 + 84 x 10
    assert count_multiplications(network, torch.zeros(1, 1, 32, 32)) == 416_520


def test_its_answers_before_the_last_layer_are_bounded() -> None:
    torch.manual_seed(0)
    network = lenet.build()
    with torch.no_grad():
        network.second.weight.mul_(100)
    seen = {}
    for place, layer in (("maps", network.dense), ("dense", network.answer)):
        layer.register_forward_pre_hook(lambda _, given, place=place: seen.update({place: given[0].detach()}))
    network(torch.randn(4, 1, 32, 32) * 100)
    assert {place: x.shape[1] for place, x in seen.items()} == {"maps": 400, "dense": 84}
    assert all(float(x.abs().max()) <= 1 for x in seen.values())
