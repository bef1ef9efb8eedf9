"""Vectors: its lesson, and batches that hold pairs."""

from collections import Counter

import numpy as np
import torch

from sightline.core.annotations import Labels, Vector
from sightline.core.dataset import Dataset
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.sources.drawn import dataset
from sightline.tasks.embed import TASK
from tests.tasks.lessons import Lesson

LESSON = Lesson(
    lambda: dataset("shapes", 1000, size=32),
    lambda *_: 0.8,
    {"epochs": 14, "augment": False},
    {"temperature": 0.2},
)


def _data(names: int, each: int) -> Dataset:
    return Dataset([Sample(f"{n}-{i}", truth=Labels((f"name-{n:03d}",))) for n in range(names) for i in range(each)])


def test_every_batch_holds_pairs_even_of_many_names() -> None:
    """500 names of 4: in a random batch of 16 few would have a partner; here each picture has three."""
    data, facts = _data(500, 4), Facts({}, options={"each": 4})
    order = TASK.order(data, facts, 16, np.random.default_rng(0))
    assert {len(batch) for batch in order} == {16}
    for batch in order:
        names = Counter(data[row].truth.best for row in batch)  # type: ignore[union-attr]
        assert set(names.values()) == {4}


def test_batches_keep_to_the_size_where_a_cluster_fits() -> None:
    data, facts = _data(7, 9), Facts({}, options={"each": 4})
    assert max(map(len, TASK.order(data, facts, 10, np.random.default_rng(0)))) <= 10


def test_pictures_that_are_all_alike_or_all_unlike_teach_nothing() -> None:
    assert TASK.fits(_data(2, 2)).strength == 1
    assert (TASK.fits(_data(1, 9)).strength, TASK.fits(_data(9, 1)).strength) == (0, 0)
    assert "two names or more, found 1" in TASK.fits(_data(1, 9)).why
    assert "two pictures or more" in TASK.fits(_data(9, 1)).why


def test_a_vector_a_row() -> None:
    rows = np.eye(3, dtype=np.float64)
    answers = TASK.decode({"vector": rows}, [], Facts({}))
    assert all(isinstance(answer, Vector) and answer.values.dtype == np.float32 for answer in answers)
    assert np.array_equal(np.stack([answer.values for answer in answers]), rows)  # type: ignore[attr-defined]


def test_the_length_is_a_setting() -> None:
    data = dataset("shapes", 6, size=32)
    facts = TASK.prepare(data, TASK.Options(length=5), "small")
    network = TASK.network("small", facts).eval()
    assert network(torch.zeros(2, 32, 32, 3, dtype=torch.uint8))["vector"].shape == (2, 5)
