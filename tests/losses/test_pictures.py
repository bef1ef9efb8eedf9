"""Losses over pixels, in closed form."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.core.errors import SettingsError
from sightline.losses.pictures import charbonnier, dissimilarity, frequency, mean_square, perceptual
from tests.losses.cases import Case


def _draw(chance: torch.Generator) -> dict[str, Any]:
    shape = (2, 4, 4, 3)
    return {"pixels": torch.rand(shape, generator=chance), "truth": torch.rand(shape, generator=chance)}


def _perfect(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    return {**drawn, "pixels": drawn["truth"].clone()}, 0.0


def _charbonnier(pixels: np.ndarray, truth: np.ndarray) -> float:
    far = pixels.astype(np.float64) - truth
    return float(np.mean([math.hypot(gap, 1e-3) - 1e-3 for gap in far.ravel()]))


def _mean_square(pixels: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean((pixels.astype(np.float64) - truth) ** 2))


def _mean_absolute(pixels: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(np.abs(pixels.astype(np.float64) - truth)))


def _draw_large(chance: torch.Generator) -> dict[str, Any]:
    shape = (2, 14, 13, 3)
    return {"pixels": torch.rand(shape, generator=chance), "truth": torch.rand(shape, generator=chance)}


def _dissimilarity(pixels: np.ndarray, truth: np.ndarray) -> float:
    """By scikit-image, which looks at the same places: windows wholly inside, with weights of a bell."""
    metrics = pytest.importorskip("skimage.metrics")
    settings = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    pairs = zip(pixels.astype(np.float64), truth.astype(np.float64), strict=True)
    return 1 - float(np.mean([metrics.structural_similarity(*pair, channel_axis=-1, **settings) for pair in pairs]))


def _frequency(pixels: np.ndarray, truth: np.ndarray) -> float:
    far = np.fft.rfft2(pixels.astype(np.float64) - truth, axes=(1, 2), norm="ortho")
    return float((np.abs(far.real).mean() + np.abs(far.imag).mean()) / 2)


def _corners(pixels: torch.Tensor) -> list[torch.Tensor]:
    """A backbone that can be worked out: the pixels, and how they differ from their right neighbour."""
    return [pixels, pixels[..., 1:] - pixels[..., :-1]]


def _draw_perceptual(chance: torch.Generator) -> dict[str, Any]:
    return {**_draw(chance), "backbone": _corners, "weights": (0.5, 2.0)}


def _perceptual(pixels: np.ndarray, truth: np.ndarray, backbone: Any, weights: tuple[float, ...]) -> float:
    far = pixels.astype(np.float64) - truth
    return float(0.5 * np.abs(far).mean() + 2.0 * np.abs(np.diff(far, axis=2)).mean())


CASES = {
    "charbonnier": Case(_draw, _perfect, _charbonnier, ("pixels",)),
    "mean_square": Case(_draw, _perfect, _mean_square, ("pixels",)),
    "mean_absolute": Case(_draw, _perfect, _mean_absolute, ("pixels",)),
    "dissimilarity": Case(_draw_large, _perfect, _dissimilarity, ("pixels",)),
    "frequency": Case(_draw, _perfect, _frequency, ("pixels",)),
    "perceptual": Case(_draw_perceptual, _perfect, _perceptual, ("pixels",)),
}


def test_charbonnier_is_nearly_the_distance_far_away_and_a_parabola_nearby() -> None:
    one = torch.ones(1)
    assert float(charbonnier(one * 0.5, one * 0)) == pytest.approx(0.5, abs=1e-3)
    assert float(charbonnier(one * 1e-4, one * 0, soft=1e-3)) == pytest.approx(1e-8 / 2e-3, rel=0.01)


def test_mean_square_of_a_constant_gap() -> None:
    assert float(mean_square(torch.full((3, 3), 0.75), torch.full((3, 3), 0.25))) == 0.25


def test_a_picture_smaller_than_the_window_is_seen_whole() -> None:
    one, other = torch.rand(1, 5, 1, 1), torch.rand(1, 5, 1, 1)
    assert float(dissimilarity(one, one)) == pytest.approx(0, abs=1e-6)
    assert float(dissimilarity(one, other)) > 0.01


def test_structure_forgives_light_more_than_blur() -> None:
    truth = torch.rand(1, 32, 32, 1, generator=torch.Generator().manual_seed(3)) * 0.8
    blurred = torch.nn.functional.avg_pool2d(truth.movedim(-1, 1), 3, 1, 1).movedim(1, -1)
    light = truth + (blurred - truth).square().mean().sqrt()  # as far away by the mean square
    assert float(dissimilarity(light, truth)) < 0.5 * float(dissimilarity(blurred, truth))


def test_frequency_does_not_grow_with_the_picture() -> None:
    small, large = (torch.rand(1, side, side, 1) for side in (16, 64))
    none = [float(frequency(one, torch.zeros_like(one) + 0.5)) for one in (small, large)]
    assert none[0] == pytest.approx(none[1], rel=0.2)


def test_all_maps_of_a_backbone_count_alike_where_nothing_is_said() -> None:
    drawn = _draw(torch.Generator().manual_seed(1))
    alone = [float(perceptual(**drawn, backbone=_corners, weights=w)) for w in ((1, 0), (0, 1))]
    assert float(perceptual(**drawn, backbone=_corners)) == pytest.approx(sum(alone) / 2)
    assert float(perceptual(**drawn, backbone=lambda x: x)) == pytest.approx(alone[0])


def test_weights_that_do_not_match_the_backbone_are_one_line() -> None:
    with pytest.raises(SettingsError, match="1 weights for the 2 maps"):
        perceptual(**_draw(torch.Generator()), backbone=_corners, weights=(1.0,))
