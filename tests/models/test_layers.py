"""Layers that several networks share."""

import pytest
import torch

from sightline.models._layers import DropPath, Squeeze


def test_a_path_is_dropped_by_rows_and_made_up_for() -> None:
    torch.manual_seed(0)
    layer, x = DropPath(0.25), torch.ones(4000, 2, 3)
    made = layer.train()(x)
    by_row = made.flatten(1)
    assert torch.equal(by_row.amin(1), by_row.amax(1)), "a row is dropped as a whole or not at all"
    assert made.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(made.mean()) == pytest.approx(1, abs=0.03)
    assert torch.equal(layer.eval()(x), x)


def test_channels_are_weighed_by_what_the_whole_map_holds() -> None:
    torch.manual_seed(0)
    layer, x = Squeeze(4, 2), torch.randn(2, 4, 5, 5)
    weight = (layer(x) / x).detach()
    assert float((weight.amax((2, 3)) - weight.amin((2, 3))).max()) < 1e-5, "one weight a channel"
    y = x.clone()
    y[..., 0, 0] += 100
    assert float((layer(y)[..., 1:, 1:] - layer(x)[..., 1:, 1:]).detach().abs().max()) > 0
    assert 0 < float(weight.min()) < float(weight.max()) < 1
