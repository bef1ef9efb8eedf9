"""Losses over names, against sums written out."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.losses.labels import cross_entropy, distillation, focal
from tests.losses.cases import Case


def _draw(chance: torch.Generator) -> dict[str, Any]:
    return {
        "logits": torch.randn(6, 4, generator=chance) * 3,
        "classes": torch.randint(0, 4, (6,), generator=chance),
        "smoothing": 0.1,
    }


def _perfect(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    logits = torch.nn.functional.one_hot(drawn["classes"], 4) * 60.0
    return {**drawn, "logits": logits, "smoothing": 0.0}, 0.0


def _oracle(logits: np.ndarray, classes: np.ndarray, smoothing: float = 0.0) -> float:
    """-sum(wanted * log(softmax)), name by name; the smoothed part is shared by all names alike."""
    total = 0.0
    for row, true in zip(logits.astype(np.float64), classes, strict=True):
        shares = np.exp(row) / np.exp(row).sum()
        for place, share in enumerate(shares):
            wanted = smoothing / len(row) + (1 - smoothing) * (place == true)
            total -= wanted * math.log(share)
    return total / len(logits)


def _draw_focal(chance: torch.Generator) -> dict[str, Any]:
    return {**_draw(chance), "gamma": 1.5, "weights": torch.tensor([0.5, 2.0, 1.0, 0.25])}


def _focal(logits: np.ndarray, classes: np.ndarray, gamma: float, weights: np.ndarray, smoothing: float = 0.0) -> float:
    """Lin et al. (2017), equation 4, name by name, over the weights of the true names."""
    total = 0.0
    for row, true in zip(logits.astype(np.float64), classes, strict=True):
        shares = np.exp(row) / np.exp(row).sum()
        for place, share in enumerate(shares):
            wanted = smoothing / len(row) + (1 - smoothing) * (place == true)
            total -= weights[place] * wanted * (1 - share) ** gamma * math.log(share)
    return total / float(weights[classes].sum())


def _draw_taught(chance: torch.Generator) -> dict[str, Any]:
    made = {name: torch.randn(6, 4, generator=chance) * 3 for name in ("logits", "taught")}
    return {**made, "temperature": 2.5}


def _agreed(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    return {**drawn, "logits": drawn["taught"].clone()}, 0.0


def _distilled(logits: np.ndarray, taught: np.ndarray, temperature: float) -> float:
    """The sum of q log(q / p), softened, times the square of the temperature."""
    total = 0.0
    for mine, theirs in zip(logits.astype(np.float64), taught.astype(np.float64), strict=True):
        p, q = (np.exp(row / temperature) / np.exp(row / temperature).sum() for row in (mine, theirs))
        total += float((q * np.log(q / p)).sum())
    return total / len(logits) * temperature**2


CASES = {
    "cross_entropy": Case(_draw, _perfect, _oracle, ("logits",), scale=60.0),
    "focal": Case(_draw_focal, _perfect, _focal, ("logits",), scale=60.0),
    "distillation": Case(_draw_taught, _agreed, _distilled, ("logits",), scale=20.0),
}


def test_focal_is_cross_entropy_at_zero_and_lets_what_is_right_rest() -> None:
    chance = torch.Generator().manual_seed(0)
    logits, classes = torch.randn(9, 3, generator=chance), torch.randint(0, 3, (9,), generator=chance)
    weights = torch.tensor([1.0, 5.0, 2.0])
    for given in ({}, {"smoothing": 0.1}, {"weights": weights}, {"weights": weights, "smoothing": 0.1}):
        assert float(focal(logits, classes, gamma=0.0, **given)) == pytest.approx(
            float(cross_entropy(logits, classes, **given)), rel=1e-5
        )
    shares = torch.nn.functional.one_hot(classes, 3).float()
    assert float(focal(logits, shares)) == pytest.approx(float(focal(logits, classes)))
    right, wrong = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    true = torch.tensor([0])
    easy, hard = (float(focal(x, true)) / float(cross_entropy(x, true)) for x in (right, wrong))
    assert easy < 0.01
    assert hard > 0.9


def test_gradients_of_a_soft_truth_do_not_depend_on_the_temperature() -> None:
    """Hinton et al. (2015), section 2.1: with the square of it, hot scores teach as strongly."""
    sizes = []
    for temperature in (10.0, 40.0):
        logits = torch.zeros(1, 3, requires_grad=True)
        distillation(logits, torch.tensor([[0.5, -0.5, 0.0]]), temperature=temperature).backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None
        sizes.append(float(logits.grad.norm()))
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_no_knowledge_costs_the_logarithm_of_the_number_of_names() -> None:
    assert float(cross_entropy(torch.zeros(5, 10), torch.arange(5))) == pytest.approx(math.log(10))


def test_huge_logits_stay_finite() -> None:
    lost = cross_entropy(torch.tensor([[1e4, -1e4]]), torch.tensor([1]))
    assert float(lost) == pytest.approx(2e4)
