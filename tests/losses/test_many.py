"""Losses over names side by side, in order and in names, against sums written out."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sightline.losses.many import conditional_ordinal, tree_cross_entropy, weighted_binary_cross_entropy
from tests.losses.cases import Case

MEMBERS = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]], dtype=torch.bool)  # the last leaf stands alone


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _marks(chance: torch.Generator) -> dict[str, Any]:
    marks = torch.randint(0, 2, (6, 3), generator=chance).float()
    marks[2, 1], marks[0, 2] = math.nan, 0.3  # unknown, doubtful
    weights = torch.tensor([1.0, 4.0, 2.5])
    return {"logits": torch.randn(6, 3, generator=chance) * 2, "marks": marks, "weights": weights}


def _marks_right(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    marks = (torch.nan_to_num(drawn["marks"]) > 0.5).float()
    return {**drawn, "marks": marks, "logits": (2 * marks - 1) * 60.0}, 0.0


def _marks_oracle(logits: np.ndarray, marks: np.ndarray, weights: np.ndarray) -> float:
    total, known = 0.0, 0
    for row in range(len(logits)):
        for place in range(logits.shape[1]):
            if not math.isnan(marks[row, place]):
                p, mark = _chance(float(logits[row, place])), float(marks[row, place])
                total -= weights[place] * mark * math.log(p) + (1 - mark) * math.log(1 - p)
                known += 1
    return total / known


def _ranks(chance: torch.Generator) -> dict[str, Any]:
    return {"logits": torch.randn(8, 3, generator=chance) * 2, "ranks": torch.tensor([0, 1, 2, 3, 3, 0, 2, 1])}


def _ranks_right(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    higher = drawn["ranks"][:, None] > torch.arange(3)
    return {**drawn, "logits": (2.0 * higher - 1) * 60}, 0.0


def _ranks_oracle(logits: np.ndarray, ranks: np.ndarray) -> float:
    lost = []
    for row, rank in zip(logits.astype(np.float64), ranks, strict=True):
        for step in range(len(row)):
            if rank >= step:  # only those who came that far are asked
                lost.append(-math.log(_chance(row[step]) if rank > step else 1 - _chance(row[step])))
    return sum(lost) / len(lost)


def _shares(chance: torch.Generator) -> dict[str, Any]:
    shares = torch.zeros(4, 7)
    shares[0, [1, 5]] = 1.0  # a leaf and the parent above it
    shares[1, 4] = 1.0  # the leaf that stands alone
    shares[2, 6] = 1.0  # a parent whose leaf nobody knows
    shares[3, [0, 5]], shares[3, [3, 6]] = 0.25, 0.75  # a mixture
    return {"logits": torch.randn(4, 5, generator=chance) * 2, "shares": shares, "members": MEMBERS, "smoothing": 0.1}


def _shares_right(drawn: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
    logits = torch.zeros(3, 5)
    logits[0, 1], logits[1, 4], logits[2, 2:4] = 80.0, 80.0, 80.0
    return {**drawn, "logits": logits, "shares": drawn["shares"][:3], "smoothing": 0.0}, 0.0


def _shares_oracle(logits: np.ndarray, shares: np.ndarray, members: np.ndarray, smoothing: float) -> float:
    total = 0.0
    for row, share in zip(logits.astype(np.float64), shares, strict=True):
        chances = np.exp(row) / np.exp(row).sum()
        for leaf, chance in enumerate(chances):
            wanted = (1 - smoothing) * share[leaf] + smoothing / 5 * share[:5].sum()
            total -= wanted * math.log(chance)
        for parent in range(2):
            total -= (
                0.5
                * share[5 + parent]
                * math.log(sum(c for c, held in zip(chances, members[parent], strict=True) if held))
            )
    return total / len(logits)


CASES = {
    "weighted_binary_cross_entropy": Case(_marks, _marks_right, _marks_oracle, ("logits",), scale=60.0),
    "conditional_ordinal": Case(_ranks, _ranks_right, _ranks_oracle, ("logits",), scale=60.0),
    "tree_cross_entropy": Case(_shares, _shares_right, _shares_oracle, ("logits",), scale=80.0),
}


def test_what_nobody_knows_has_no_gradient() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    marks = torch.tensor([[1.0, math.nan], [0.0, math.nan]])
    weighted_binary_cross_entropy(logits, marks, torch.ones(2)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.tolist() == [[-0.25, 0.0], [0.25, 0.0]]
    nothing = weighted_binary_cross_entropy(logits, torch.full((2, 2), math.nan), torch.ones(2))
    assert float(nothing.detach()) == 0.0


def test_a_parent_alone_moves_its_leaves_together() -> None:
    logits = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]], requires_grad=True)
    shares = torch.zeros(1, 7)
    shares[0, 6] = 1.0
    tree_cross_entropy(logits, shares, MEMBERS, smoothing=0.3).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    grad = logits.grad[0]
    assert float(grad[2]) == pytest.approx(float(grad[3]))
    assert float(grad[2]) < 0 < float(grad[0])


def test_without_parents_it_is_cross_entropy() -> None:
    drawn = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
    classes = torch.tensor([0, 1, 2, 3, 0, 1])
    shares, none = torch.eye(4)[classes], torch.zeros(0, 4, dtype=torch.bool)
    for smoothing in (0.0, 0.1):
        expected = torch.nn.functional.cross_entropy(drawn, classes, label_smoothing=smoothing)
        assert float(tree_cross_entropy(drawn, shares, none, smoothing=smoothing)) == pytest.approx(
            float(expected), rel=1e-6
        )


def test_a_rank_asks_no_step_beyond_the_next() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    conditional_ordinal(logits, torch.tensor([0])).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.5, 0.0, 0.0]]
