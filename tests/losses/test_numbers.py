"""Losses over numbers, against sums written out."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from sightline.losses.numbers import gaussian_likelihood, huber
from tests.losses.cases import Case


def _draw(chance: torch.Generator) -> dict[str, Any]:
    truth = torch.randn(6, 2, generator=chance) * 2
    truth[1, 0] = math.nan
    return {"numbers": torch.randn(6, 2, generator=chance), "truth": truth}


def _right(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    return {**drawn, "numbers": torch.nan_to_num(drawn["truth"])}, 0.0


def _oracle(numbers: np.ndarray, truth: np.ndarray) -> float:
    """Half the square up to a miss of one, beyond it a line with the same slope."""
    misses = [
        abs(float(n) - float(t)) for n, t in zip(numbers.ravel(), truth.ravel(), strict=True) if not math.isnan(t)
    ]
    return sum(0.5 * miss**2 if miss < 1 else miss - 0.5 for miss in misses) / len(misses)


def _draw_likely(chance: torch.Generator) -> dict[str, Any]:
    return {**_draw(chance), "spread": torch.rand(6, 2, generator=chance) + 0.5}


def _likely(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    """Without a miss the least spread is best."""
    truth = torch.nan_to_num(drawn["truth"])
    return {"numbers": truth, "truth": truth, "spread": torch.full((6, 2), 1e-3)}, math.log(1e-3)


def _likely_oracle(numbers: np.ndarray, truth: np.ndarray, spread: np.ndarray) -> float:
    rows = [
        (n, t, s) for n, t, s in zip(numbers.ravel(), truth.ravel(), spread.ravel(), strict=True) if not math.isnan(t)
    ]
    density = [math.exp(-0.5 * ((t - n) / s) ** 2) / (s * math.sqrt(2 * math.pi)) for n, t, s in rows]
    return sum(-math.log(d * math.sqrt(2 * math.pi)) for d in density) / len(rows)


CASES = {
    "huber": Case(_draw, _right, _oracle, ("numbers",)),
    "gaussian_likelihood": Case(_draw_likely, _likely, _likely_oracle, ("numbers", "spread")),
}


def test_the_best_spread_is_the_usual_miss() -> None:
    truth = torch.tensor([[-2.0], [2.0], [2.0], [-2.0]])
    lost = {
        wide: float(gaussian_likelihood(torch.zeros(4, 1), torch.full((4, 1), wide), truth)) for wide in (1.5, 2.0, 2.5)
    }
    assert min(lost, key=lost.__getitem__) == 2.0


def test_one_wild_label_pulls_no_harder_than_a_miss_of_one() -> None:
    numbers = torch.zeros(2, 1, requires_grad=True)
    huber(numbers, torch.tensor([[1.0], [1e6]])).backward()  # type: ignore[no-untyped-call]
    assert numbers.grad is not None
    assert numbers.grad.tolist() == [[-0.5], [-0.5]]
    assert float(huber(numbers, torch.full((2, 1), math.nan)).detach()) == 0.0
