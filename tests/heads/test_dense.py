"""Heads that answer everywhere."""

import numpy as np
import pytest
import torch

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.core.inputs import InputSpec
from sightline.heads.dense import boxes, picture
from sightline.losses.objects import _points
from sightline.models import small, unet


def test_boxes_lie_around_the_points_that_the_loss_expects() -> None:
    """Head and loss each lay out points; an untrained head's boxes contain theirs, in the same order."""
    torch.manual_seed(0)
    spec = InputSpec((64, 96))
    network = boxes(small.build(3, width=8), spec, 4).eval()
    with torch.inference_mode():
        made = network(torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8))
    points = _points((64, 96), (8, 16), made["boxes"])
    assert made["boxes"].shape == (2, len(points), 4)
    assert made["logits"].shape == (2, len(points), 4)
    assert len(points) == 8 * 12 + 4 * 6
    assert bool((made["boxes"][..., :2] < points).all())
    assert bool((made["boxes"][..., 2:] > points).all())


def test_scores_begin_near_one_in_a_hundred() -> None:
    torch.manual_seed(0)
    network = boxes(small.build(3, width=8), InputSpec((64, 64)), 2).eval()
    with torch.inference_mode():
        scores = network(torch.full((1, 64, 64, 3), 99, dtype=torch.uint8))["logits"].sigmoid()
    assert 0.003 < float(scores.mean()) < 0.03


def test_a_picture_head_begins_by_giving_back_what_came() -> None:
    for dtype, top in (("uint8", 255), ("uint16", 65535), ("float32", 1)):
        network = picture(unet.build(3, width=8), InputSpec((16, 16), 3, dtype))
        raw = (np.random.default_rng(0).random((2, 16, 16, 3)) * top).astype(dtype)
        made = network(torch.from_numpy(raw))["picture"].detach().numpy()
        assert np.abs(made - raw.astype(np.float64) / top).max() < 1e-6


def test_a_model_with_too_few_maps_is_one_line() -> None:
    with pytest.raises(SettingsError, match="gives 1 map of features; boxes need four"):
        boxes(catalog.find("models", "vit").build(3), InputSpec((64, 64)), 2)
