"""Recall at 1 equals a search by hand on 200 random cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.annotations import Labels, Vector
from sightline.core.errors import InputError
from sightline.metrics import vectors as part
from sightline.metrics.vectors import recall_at_1
from tests.metrics._simulated import vectors


def by_hand(truths: list[Labels], answers: list[Vector]) -> float:
    found = []
    for i, (truth, answer) in enumerate(zip(truths, answers, strict=True)):
        others = [j for j in range(len(truths)) if j != i]
        if len({truths[j].best == truth.best for j in others}) < 2:
            continue
        near = [
            float(answer.values @ answers[j].values)
            / math.sqrt(float(answer.values @ answer.values) * float(answers[j].values @ answers[j].values))
            for j in others
        ]
        found.append(truths[others[int(np.argmax(near))]].best == truth.best)
    return float(np.mean(found)) if found else math.nan


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_equal_to_a_search_by_hand(start: int) -> None:
    for seed in range(start, start + 50):
        rng = np.random.default_rng(seed)
        truths, answers = vectors(rng, 0, int(rng.integers(1, 6)), float(rng.uniform(0, 2)), int(rng.integers(1, 6)))
        kept = rng.permutation(len(truths))[: int(rng.integers(1, len(truths) + 1))]
        truths, answers = [truths[i] for i in kept], [answers[i] for i in kept]
        expected = by_hand(truths, answers)
        assert recall_at_1(truths, answers).value == pytest.approx(expected, nan_ok=True)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truths, answers = vectors(np.random.default_rng(0), 100)
    whole = recall_at_1(truths, answers).rows
    monkeypatch.setattr(part, "_BLOCK", 7)
    assert np.array_equal(recall_at_1(truths, answers).rows, whole)


def test_rows_are_of_the_whole_set_so_that_no_copy_finds_itself() -> None:
    """Vectors that have learnt nothing: chance is 3 in 63; a data set drawn with copies would say about .65."""
    tallies = [recall_at_1(*vectors(np.random.default_rng(seed), 64, apart=0.0)) for seed in range(50)]
    rng = np.random.default_rng(1)
    redrawn = [tally.reduce(tally.rows[rng.integers(0, 64, 64)]) for tally in tallies]
    assert np.mean(redrawn) == pytest.approx(3 / 63, abs=0.02)


def test_a_class_of_one_says_nothing_and_a_broken_vector_is_wrong() -> None:
    truths = [Labels((name,)) for name in ("a", "a", "b", "c", "c")]
    values = np.array([[1, 0], [1, 0.1], [0, 1], [-1, 0], [math.nan, 0]])
    tally = recall_at_1(truths, [Vector(value) for value in values])
    assert tally.rows[:, 0] == pytest.approx([1, 1, math.nan, 0, 0], nan_ok=True)
    assert tally.value == 0.5


def test_pictures_of_one_name_alone_say_nothing() -> None:
    """With no stranger among them every vector finds its like, whatever was learnt."""
    tally = recall_at_1([Labels(("a",))] * 4, [Vector(np.eye(4)[row]) for row in range(4)])
    assert math.isnan(tally.value)


@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_length_means_nothing(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    truths, answers = vectors(rng, 24, 6)
    scaled = [Vector(answer.values * scale * rng.uniform(0.5, 2)) for answer in answers]
    assert np.array_equal(recall_at_1(truths, scaled).rows, recall_at_1(truths, answers).rows)


def test_vectors_of_two_models_are_refused() -> None:
    with pytest.raises(InputError, match="one model"):
        recall_at_1([Labels(("a",))] * 2, [Vector(np.ones(3)), Vector(np.ones(4))])
