"""Heads that answer once a picture."""

import numpy as np
import torch

from sightline.core.inputs import InputSpec
from sightline.heads.pooled import labels, vector
from sightline.models import ridge, small


def _pictures(count: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8))


def test_vectors_have_unit_length() -> None:
    made = vector(small.build(3, width=8), InputSpec((32, 32)), 7).eval()(_pictures())["vector"].detach()
    assert made.shape == (6, 7)
    assert torch.allclose(made.norm(dim=1), torch.ones(6), atol=1e-6)


def test_a_model_with_logits_is_fed_and_solved_through_the_head() -> None:
    network = labels(ridge.build(3, 2, filters=16), InputSpec((32, 32)), 2)
    classes = torch.tensor([0, 1, 0, 1, 0, 1])
    network.solve([{"image": _pictures(), "classes": classes}])  # type: ignore[operator]
    assert bool((network(_pictures())["logits"].argmax(1) == classes).all())
    assert network.head is None
    assert not hasattr(labels(small.build(3, width=8), InputSpec((32, 32)), 2), "solve")


def test_dropout_is_chance_in_training_and_nothing_afterwards() -> None:
    network = labels(small.build(3, width=8), InputSpec((32, 32)), 3, dropout=0.5)
    network.eval()
    assert torch.equal(*(network(_pictures())["logits"] for _ in range(2)))
    network.head.train()  # type: ignore[union-attr]
    assert not torch.equal(*(network(_pictures())["logits"] for _ in range(2)))


def test_with_a_mirror_the_answer_is_the_mean_of_two_views_two_pixels_apart() -> None:
    torch.manual_seed(0)
    image = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)
    around = np.pad(image.numpy(), ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    first, second = torch.from_numpy(around[:, 2:, 2:]), torch.from_numpy(around[:, :-2, -3::-1].copy())
    network = labels(small.build(3, width=8), InputSpec((32, 32)), 4, mirror=True).eval()
    with torch.no_grad():
        network.head[1].weight.mul_(1e4)  # type: ignore[index,operator]
    plain = labels(network.model, InputSpec((32, 32)), 4).eval()
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        one, other = plain(first)["logits"], plain(second)["logits"]
        assert not torch.allclose(one, other, atol=1e-1)
        assert torch.allclose(network(image)["logits"], (one + other) / 2, atol=1e-3)
        assert torch.equal(network(image)["features"], plain(first)["features"]), "of the first view"
        network.train()
        plain.train()
        assert torch.allclose(network(image)["logits"], plain(image)["logits"], atol=1e-3), "it learns from one look"
