"""What has to be beaten, for names side by side, names in names, and numbers."""

import numpy as np

from sightline.core.annotations import Labels, Value
from sightline.core.dataset import Dataset
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.evaluating.baseline import baseline, floor_of
from sightline.tasks import novelty


def test_names_side_by_side_are_answered_as_often_as_they_are_so() -> None:
    labels = [("a",), ("a", "b"), (), ("a",)]
    train = Dataset([Sample(str(row), truth=Labels(names)) for row, names in enumerate(labels)])
    found = baseline(Labels, train, train[:2])
    assert found is not None
    assert len(found[1]) == 2
    answer = found[1][0]
    assert isinstance(answer, Labels)
    assert (answer.score("a"), answer.score("b")) == (0.75, 0.25)


def test_a_task_with_names_of_its_own_is_held_against_its_own_names() -> None:
    """Most labels say scratch; whoever asks whether a picture is usual answers good or other, never scratch."""
    names = ["good", "scratch", "scratch", "dent", "good"]
    train = Dataset([Sample(str(row), truth=Labels((name,))) for row, name in enumerate(names)])
    found = floor_of(novelty.TASK, Facts({}, ("good", "other")), train, train[:1])
    assert found is not None
    assert found[0] == "always other"
    assert found[1][0].score("other") == np.float32(0.6)  # type: ignore[attr-defined]


def test_a_name_above_others_is_not_the_answer() -> None:
    names = ["x", "x", "x", "x/1", "x/2", "y/1", "y/2", "x/1"]
    train = Dataset([Sample(str(row), truth=Labels((name,))) for row, name in enumerate(names)])
    found = baseline(Labels, train, train[:1])
    assert found is not None
    assert found[0] == "always x/1"


def test_numbers_are_answered_by_their_median_without_those_that_nobody_knows() -> None:
    numbers = [1.0, 2.0, 30.0, np.nan]
    train = Dataset([Sample(str(row), truth=Value(("a",), np.array([n]))) for row, n in enumerate(numbers)])
    found = baseline(Value, train, train[:1])
    assert found is not None
    assert isinstance(found[1][0], Value)
    assert found[1][0].numbers.tolist() == [2.0]
