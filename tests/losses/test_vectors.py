"""Losses over embeddings, against loops over pairs."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.losses.vectors import supervised_contrast
from tests.losses.cases import Case


def _draw(chance: torch.Generator) -> dict[str, Any]:
    vectors = torch.randn(8, 5, generator=chance)
    return {
        "vectors": vectors / vectors.norm(dim=1, keepdim=True),
        "classes": torch.tensor([0, 0, 1, 1, 1, 2, 2, 3]),  # the last has no partner
        "temperature": 0.2,
    }


def _perfect(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    """Names apart as far as can be, cold: what is left is the choice among equal partners."""
    classes = torch.tensor([0, 0, 1, 1, 2, 2])
    return {"vectors": torch.nn.functional.one_hot(classes, 5).float(), "classes": classes, "temperature": 0.02}, 0.0


def _oracle(vectors: np.ndarray, classes: np.ndarray, temperature: float = 0.1) -> float:
    """Khosla et al. (2020), equation 2: for each anchor the mean over its partners of -log of a share."""
    vectors = vectors.astype(np.float64)
    rows = []
    for anchor in range(len(vectors)):
        others = [i for i in range(len(vectors)) if i != anchor]
        near = {i: math.exp(float(vectors[anchor] @ vectors[i]) / temperature) for i in others}
        partners = [i for i in others if classes[i] == classes[anchor]]
        if partners:
            rows.append(np.mean([-math.log(near[i] / sum(near.values())) for i in partners]))
    return float(np.mean(rows))


def _draw_taught(chance: torch.Generator) -> dict[str, Any]:
    return {name: torch.randn(6, 5, generator=chance) * 30 + 7 for name in ("values", "taught")}


def _copied(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    return {**drawn, "values": drawn["taught"].clone()}, 0.0


def _alike(values: np.ndarray, taught: np.ndarray) -> float:
    """Squared differences in units of the teacher's own variance."""
    return float(((values.astype(np.float64) - taught) ** 2).mean() / taught.astype(np.float64).var())


CASES = {
    "supervised_contrast": Case(_draw, _perfect, _oracle, ("vectors",)),
    "likeness": Case(_draw_taught, _copied, _alike, ("values",), scale=30.0),
}


def test_three_of_a_name_cannot_do_better_than_the_choice_between_two() -> None:
    """With every partner equally near, each anchor pays log(2)."""
    classes = torch.tensor([0, 0, 0, 1, 1, 1])
    vectors = torch.nn.functional.one_hot(classes, 4).float()
    assert float(supervised_contrast(vectors, classes, temperature=0.02)) == pytest.approx(math.log(2), abs=1e-5)


def test_a_batch_without_pairs_costs_nothing_and_still_has_a_gradient() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(4, 3), dim=1).requires_grad_()
    lost = supervised_contrast(vectors, torch.arange(4))
    lost.backward()  # type: ignore[no-untyped-call]
    assert float(lost.detach()) == 0
    assert vectors.grad is not None
    assert not bool(vectors.grad.any())


def test_the_order_in_the_batch_means_nothing() -> None:
    drawn = _draw(torch.Generator().manual_seed(1))
    turned = torch.randperm(8, generator=torch.Generator().manual_seed(2))
    moved = {**drawn, "vectors": drawn["vectors"][turned], "classes": drawn["classes"][turned]}
    assert float(supervised_contrast(**moved)) == pytest.approx(float(supervised_contrast(**drawn)), rel=1e-6)
