"""Losses over pixels, in closed form."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.losses.pictures import charbonnier, mean_square
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


CASES = {
    "charbonnier": Case(_draw, _perfect, _charbonnier, ("pixels",)),
    "mean_square": Case(_draw, _perfect, _mean_square, ("pixels",)),
}


def test_charbonnier_is_nearly_the_distance_far_away_and_a_parabola_nearby() -> None:
    one = torch.ones(1)
    assert float(charbonnier(one * 0.5, one * 0)) == pytest.approx(0.5, abs=1e-3)
    assert float(charbonnier(one * 1e-4, one * 0, soft=1e-3)) == pytest.approx(1e-8 / 2e-3, rel=0.01)


def test_mean_square_of_a_constant_gap() -> None:
    assert float(mean_square(torch.full((3, 3), 0.75), torch.full((3, 3), 0.25))) == 0.25
