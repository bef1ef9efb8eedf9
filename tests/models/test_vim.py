"""The scan of Vim: by doubling and step by step, both ways, and the sizes of the paper."""

import pytest
import torch

from sightline.evaluating.counting import count_parameters
from sightline.models import vim


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 33])
def test_doubling_equals_going_step_by_step(count: int) -> None:
    torch.manual_seed(0)
    kept, added = torch.rand(2, count, 3, 4, dtype=torch.float64), torch.randn(2, count, 3, 4, dtype=torch.float64)
    held, wanted = torch.zeros(2, 3, 4, dtype=torch.float64), []
    for place in range(count):
        held = kept[:, place] * held + added[:, place]
        wanted.append(held)
    assert torch.allclose(vim.scanned(kept, added), torch.stack(wanted, 1), atol=1e-12)


def test_a_scan_sees_nothing_of_what_comes_later() -> None:
    torch.manual_seed(0)
    scan, x = vim.Scan(12, 6), torch.randn(1, 9, 12)
    other = x.clone()
    other[:, 5:] += 1
    with torch.no_grad():
        one, two = scan(x), scan(other)
    assert torch.equal(one[:, :5], two[:, :5])
    assert (one[:, 5:] - two[:, 5:]).abs().amin(2).min() > 0


def test_both_ways_are_mirror_images_of_each_other() -> None:
    torch.manual_seed(0)
    mixer, x = vim.BothWays(6), torch.randn(2, 7, 6)
    turned = vim.BothWays(6)
    turned.load_state_dict(
        {
            name.replace("ahead", "new").replace("back", "ahead").replace("new", "back"): weight
            for name, weight in mixer.state_dict().items()
        }
    )
    with torch.no_grad():
        assert torch.allclose(turned(x.flip(1)).flip(1), mixer(x), atol=1e-6)


def test_steps_begin_between_a_thousandth_and_a_tenth() -> None:
    torch.manual_seed(0)
    begun = torch.nn.functional.softplus(vim.Scan(400, 200).step.bias.detach())
    assert 1e-3 <= float(begun.min()) < 2e-3
    assert 0.08 < float(begun.max()) <= 0.1 + 1e-6


def test_the_published_sizes() -> None:
    """7, 26 and 98 million in the paper, which has one token more."""
    for size, millions in (("t", 7.15), ("s", 25.8), ("b", 97.6)):
        assert count_parameters(vim.published(size)) == pytest.approx(millions * 1e6, rel=0.005)
