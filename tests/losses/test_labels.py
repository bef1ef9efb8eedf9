"""Losses over names, against sums written out."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.losses.labels import cross_entropy
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


CASES = {"cross_entropy": Case(_draw, _perfect, _oracle, ("logits",), scale=60.0)}


def test_no_knowledge_costs_the_logarithm_of_the_number_of_names() -> None:
    assert float(cross_entropy(torch.zeros(5, 10), torch.arange(5))) == pytest.approx(math.log(10))


def test_huge_logits_stay_finite() -> None:
    lost = cross_entropy(torch.tensor([[1e4, -1e4]]), torch.tensor([1]))
    assert float(lost) == pytest.approx(2e4)
