"""KAConv against its definition, spelt out window by window; published sizes and costs."""

import pytest
import torch
from torch.nn import functional

from sightline.evaluating.counting import count_multiplications, count_parameters
from sightline.models import kaconvnet
from sightline.models.kaconvnet import KAConv


def _unfolded(layer: KAConv, x: torch.Tensor) -> torch.Tensor:
    """The sums as the theorem has them: every window unfolded, every pixel bent by the function of its tap."""
    kernel, pad = layer.kernel, layer.kernel // 2
    rows, channels = x.shape[:2]
    windows = functional.unfold(x, kernel, padding=pad, stride=layer.stride)
    windows = windows.unflatten(1, (channels, kernel**2))  # rows, channels, taps, places
    bent = torch.where(windows < 0, layer.below[None, :, :, None] * windows, layer.above[None, :, :, None] * windows)
    bent = bent + layer.offset[None, :, :, None]
    by_unit = (channels, layer.units, kernel**2)
    sums = torch.einsum("cut,nctp->ncup", layer.smooth.weight.view(by_unit), functional.silu(windows))
    sums = sums + torch.einsum("cut,nctp->ncup", layer.bent.weight.view(by_unit), bent)
    sums = sums + (layer.smooth.bias + layer.bent.bias).view(1, channels, layer.units, 1)
    side = [(length + 2 * pad - kernel) // layer.stride + 1 for length in x.shape[-2:]]
    return sums.reshape(rows, channels * layer.units, *side)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_one_grouped_convolution_is_the_unfolded_form(kernel: int, stride: int) -> None:
    """Values and the gradients of every parameter, padding included."""
    torch.manual_seed(0)
    layer = KAConv(4, 6, kernel, stride).double()
    x = torch.randn(2, 4, 9, 8, dtype=torch.float64, requires_grad=True)
    shape = layer.sums(x).shape
    assert shape[1] == 4 * (2 * kernel**2 + 1)
    pull = torch.randn(shape, dtype=torch.float64)
    learnt = [x, layer.smooth.weight, layer.smooth.bias, layer.bent.weight, layer.bent.bias]
    learnt += [layer.below, layer.above, layer.offset]
    slopes = []
    for made in (layer.sums(x), _unfolded(layer, x)):
        slopes.append([made.detach(), *torch.autograd.grad((made * pull).sum(), learnt)])
    for ours, theirs in zip(*slopes, strict=True):
        assert float((ours - theirs).detach().abs().max()) < 1e-10


def test_gradients_equal_differences() -> None:
    torch.manual_seed(0)
    layer = KAConv(2, 2).double().eval()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,), atol=1e-6)


# size -> parameters and multiplications with 1000 names at 224 x 224; published: 5.0M 0.7G, 8.6M 1.4G, 17.5M 2.9G
PUBLISHED = {
    "s": (5_003_888, 751_439_616),
    "b": (8_655_752, 1_393_990_656),
    "l": (17_451_936, 2_907_008_896),
    "s-plain": (3_461_952, 405_149_952),
    "b-plain": (5_574_232, 732_758_784),
    "l-plain": (11_033_232, 1_635_799_936),
}


@pytest.mark.parametrize("size", PUBLISHED)
def test_published_sizes_and_costs(size: str) -> None:
    with torch.device("meta"):
        network = kaconvnet.published(size).eval()
        cost = count_multiplications(network, torch.zeros(1, 3, 224, 224))
    assert (count_parameters(network), cost) == PUBLISHED[size]


@pytest.mark.parametrize(("size", "wanted"), [("s", 0.70e9), ("b", 1.31e9), ("l", 2.78e9)])
def test_the_unfolded_form_costs_what_its_authors_count(size: str, wanted: float) -> None:
    """There two products a tap and sum; the one convolution has three, and needs no unfolding for it."""
    with torch.device("meta"):
        network = kaconvnet.published(size).eval()
        spare = 0
        for layer in network.modules():
            if isinstance(layer, KAConv):
                layer.register_forward_hook(lambda _, __, made, layer=layer: seen.append((layer, made.shape[2:])))
        seen: list[tuple[KAConv, torch.Size]] = []
        cost = count_multiplications(network, torch.zeros(1, 3, 224, 224))
    for layer, (rows, columns) in seen:
        spare += rows * columns * layer.kernel**2 * layer.norm.num_features
    assert cost - spare == pytest.approx(wanted, rel=0.01)


def test_the_control_differs_in_its_convolutions_only() -> None:
    """Same widths, strides and blocks; the control has a plain 3 x 3 where the other has a KAConv."""
    ours, control = kaconvnet.build(size="s"), kaconvnet.build(size="s-plain")
    assert (ours.widths, ours.strides) == (control.widths, control.strides)
    shapes = [{name: value.shape for name, value in net.named_parameters()} for net in (ours, control)]
    apart = shapes[0].keys() ^ shapes[1].keys()
    assert {name.split(".")[0] for name in apart} <= {"enter", "stages"}
    assert all(".mix." in name or name.startswith("enter.0.0.") for name in apart)
    assert not [name for name in shapes[0].keys() & shapes[1].keys() if shapes[0][name] != shapes[1][name]]
