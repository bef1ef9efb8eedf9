"""Advice: measured on pictures that the learner had not seen, and said in words that follow from the figures."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.core.annotations import Labels, Picture
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError, UnknownNameError
from sightline.testing.toys import toy
from sightline.training.advice import Rung, words
from sightline.training.advise import advise

GOOD = Rung("svm", 0.9, 0.85, 0.95, 1.0, 2.0, "best")
FLOOR = Rung("always the most frequent", 0.3, 0.25, 0.35, 0.0, 0.0, "worse")


def _shuffled(data: Dataset) -> Dataset:
    """The same pictures with names that have nothing to do with them."""
    truths = [data[int(row)].truth for row in np.random.default_rng(0).permutation(len(data))]
    made = [replace(sample, truth=truth) for sample, truth in zip(data, truths, strict=True)]
    return Dataset(made, name="shuffled", names=data.names, kind=Labels, recipe="shuffled")


def test_the_best_is_first_and_taken() -> None:
    made = advise(toy(Labels, 60), models=("naive_bayes", "logistic", "ridge"))
    assert [rung.value for rung in made.rungs] == sorted((rung.value for rung in made.rungs), reverse=True)
    assert made.take == made.rungs[0].model
    assert made.rungs[0].apart == "best"
    assert made.rungs[0].value > 0.9
    assert {rung.model for rung in made.rungs} == {"naive_bayes", "logistic", "ridge"}
    assert (made.count, made.names, made.metric) == (60, 3, "accuracy")
    assert made.floor.value < 0.5
    assert made.floor.apart == "worse"
    assert all(rung.low <= rung.value <= rung.high and rung.milliseconds > 0 for rung in made.rungs)


def test_names_that_mean_nothing_are_seen_through() -> None:
    """Every answer is about a picture that was held out, so learning by heart does not help."""
    made = advise(_shuffled(toy(Labels, 60)), models=("knn", "forest:20"))
    assert all(rung.value < 0.6 for rung in made.rungs)
    assert any("not surely better than always saying" in line for line in made.words)


def test_the_test_side_is_not_looked_at_and_the_rest_is_bounded() -> None:
    sides = [replace(s, split="test" if n < 20 else "train") for n, s in enumerate(toy(Labels, 80))]
    data = Dataset(sides, name="sided", names=("blue", "green", "red"), kind=Labels, recipe="sided")
    assert advise(data, models=("naive_bayes",)).count == 60
    assert advise(data, models=("naive_bayes",), most=30).count == 30


def test_what_there_is_no_time_for_is_named() -> None:
    made = advise(toy(Labels, 30), models=("naive_bayes", "svm", "forest"), seconds=0.0)
    assert made.left_out == ("svm", "forest")
    assert [rung.model for rung in made.rungs] == ["naive_bayes"]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        advise(toy(Labels, 30), models=("svmm",))
    with pytest.raises(SettingsError, match="two names or more"):
        advise(toy(Picture, 12), "restore")
    single = Dataset([s for s in toy(Labels, 30) if isinstance(s.truth, Labels) and s.truth.best == "red"], name="one")
    with pytest.raises(SettingsError, match="of 1 names"):
        advise(Dataset(list(single), name="one", names=("red",), kind=Labels), "novelty")


@pytest.mark.parametrize(
    ("each", "value", "said"),
    [
        (5, 0.9, "With 5 pictures a name a network would rather learn them by heart"),
        (50, 0.9, "may be better or worse"),
        (500, 0.9, "a network is worth its time; it has 0.900 to beat"),
        (500, 0.99, "little left that a network could win"),
    ],
)
def test_whether_a_network_is_worth_it(each: int, value: float, said: str) -> None:
    take = replace(GOOD, value=value)
    assert said in words(take, [take], FLOOR, "accuracy", {"a": each, "b": each}, None)[-1]


@pytest.mark.parametrize(("apart", "doubted"), [("worse", False), ("cannot tell", True), ("better", True)])
def test_the_floor_is_faced_picture_by_picture(apart: str, doubted: bool) -> None:
    """Two intervals of few pictures overlap long after a paired test has told them apart."""
    take, floor = replace(GOOD, value=0.525, low=0.375, high=0.671), replace(FLOOR, low=0.12, high=0.38, apart=apart)
    said = " ".join(words(take, [take], floor, "accuracy", {"a": 50}, None))
    assert ("not surely better than always" in said) == doubted


def test_what_is_as_good_and_what_is_too_slow_is_said() -> None:
    rungs = [
        replace(GOOD, model="forest", apart="better", milliseconds=9.0),
        GOOD,
        replace(GOOD, model="knn", apart="cannot tell"),
    ]
    said = " ".join(words(GOOD, rungs, FLOOR, "accuracy", {"a": 50}, 5.0))
    assert "Take svm: accuracy 0.900 (0.850 to 0.950), learnt in 1.0 s, 2.0 ms a picture." in said
    assert "knn cannot be told from it" in said
    assert "forest would be better, but takes more than 5 ms a picture." in said
    assert "None answers in 1 ms" in " ".join(words(GOOD, [GOOD], FLOOR, "accuracy", {"a": 50}, 1.0))
