"""Names in order: its lesson, where the order comes from, and that its answer is a row of shares."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError
from sightline.core.inputs import Frame
from sightline.core.task import Facts
from sightline.tasks import classify
from sightline.tasks.grade import TASK
from sightline.testing.toys import toy
from tests.tasks.lessons import Lesson
from tests.tasks.worlds import grades

LESSON = Lesson(grades, lambda untrained, _: min(0.8, 0.6 * untrained), {"epochs": 10})
FRAME = Frame(0, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0))


def _called(*names: str) -> Dataset:
    samples = [replace(sample, truth=Labels((names[row % len(names)],))) for row, sample in enumerate(toy(Labels, 12))]
    return Dataset(samples, names=tuple(sorted(names)), kind=Labels)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("grade 10", "grade 2", "grade 1"), ("grade 1", "grade 2", "grade 10")),
        (("high", "low", "medium"), ("low", "medium", "high")),
        (("Very_Good", "bad", "good"), ("bad", "good", "Very_Good")),
        (("9", "10", "0"), ("0", "9", "10")),
        (("red", "blue"), ("blue", "red")),  # as they are listed
    ],
)
def test_the_order_comes_from_numbers_words_or_the_list(names: tuple[str, ...], order: tuple[str, ...]) -> None:
    data = _called(*names)
    assert TASK.prepare(data, TASK.Options(), "small").names == order
    fit = TASK.fits(data)
    assert fit.strength == 1, "digits and colours are names, unless somebody says that they are in order"
    assert " < ".join(order) in fit.why


def test_it_is_natural_where_the_data_says_that_its_names_are_in_order() -> None:
    data = _called("b", "a", "c")
    told = Dataset(data.samples, names=("c", "a", "b"), kind=Labels, details={"ordered": True})
    assert TASK.fits(told).strength == 2
    assert classify.TASK.fits(told).strength == 1
    assert TASK.prepare(told, TASK.Options(), "small").names == ("c", "a", "b")


def test_an_order_that_is_given_names_every_name_once() -> None:
    data = _called("red", "green", "blue")
    given = TASK.prepare(data, TASK.Options(order=["red", "blue", "green"]), "small")
    assert given.names == ("red", "blue", "green")
    for order, what in (
        (["red", "blue"], "leaves out green"),
        (["red", "blue", "grene"], "'grene' is no name of the data. Did you mean 'green'"),
        (["red", "blue", "blue", "green"], "'blue' is there twice"),
    ):
        with pytest.raises(SettingsError, match=what):
            TASK.prepare(data, TASK.Options(order=order), "small")


def test_scores_are_shares_of_those_who_came_that_far() -> None:
    """Half go beyond the first, a fifth of these beyond the second."""
    logits = np.log(np.array([[0.5 / 0.5, 0.2 / 0.8]], np.float32))
    (answer,) = TASK.decode({"logits": logits}, [FRAME], Facts({}, ("a", "b", "c")))
    assert isinstance(answer, Labels)
    assert answer.scores == pytest.approx([0.5, 0.4, 0.1])
    (far,) = TASK.decode({"logits": np.array([[1e6, -1e6]], np.float32)}, [FRAME], Facts({}, ("a", "b", "c")))
    assert isinstance(far, Labels)
    assert far.scores == pytest.approx([0, 1, 0])
