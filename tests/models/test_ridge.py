"""Ridge regression on fixed random filters, against numpy's least squares."""

import numpy as np
import pytest
import torch

from sightline.models import ridge


def _data(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, 16, 16, generator=chance), torch.randint(0, 3, (count,), generator=chance)


def test_it_is_the_solution_of_the_normal_equations() -> None:
    """(F'F + penalty I) w = F't, with F the features and a column of ones; answers are scaled by 4."""
    x, classes = _data()
    network = ridge.build(3, 3, filters=16, penalty=0.1)
    network.solve([(x, classes)])
    features = np.hstack([network.features(x).numpy().astype(np.float64), np.ones((len(x), 1))])
    wanted = np.eye(3)[classes.numpy()] * 2 - 1
    gram = features.T @ features
    steady = np.eye(len(gram)) * 0.1 * gram.diagonal().mean()
    answer = np.linalg.solve(gram + steady, features.T @ wanted)
    assert np.abs(network(x).numpy() - 4 * features @ answer).max() < 1e-3


def test_batches_change_nothing() -> None:
    x, classes = _data()
    whole, parted = ridge.build(3, 3, filters=16), ridge.build(3, 3, filters=16)
    whole.solve([(x, classes)])
    parted.solve((x[row : row + 7], classes[row : row + 7]) for row in range(0, len(x), 7))
    assert torch.allclose(whole.weight, parted.weight, atol=1e-4)


def test_a_strong_penalty_shrinks_the_answer() -> None:
    x, classes = _data()
    sizes = []
    for penalty in (1e-3, 1.0, 1e3):
        network = ridge.build(3, 3, filters=16, penalty=penalty)
        network.solve([(x, classes)])
        sizes.append(float(network.weight.norm()))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < sizes[0] / 100


def test_the_filters_are_the_same_every_time_and_of_unit_length() -> None:
    first, second = ridge.build(), ridge.build()
    assert torch.equal(first.filters, second.filters)
    assert first.filters.flatten(1).norm(dim=1).numpy() == pytest.approx(1.0)
    assert not torch.equal(first.filters, ridge.build(seed=1).filters)
