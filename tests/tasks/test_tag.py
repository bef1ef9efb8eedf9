"""Any number of names a picture: its lesson, what it makes of labels, and that weights do not bend its scores."""

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.tasks.tag import TASK
from sightline.testing.toys import toy
from tests.tasks.lessons import Lesson
from tests.tasks.worlds import colours

LESSON = Lesson(colours, lambda *_: 0.8, {"epochs": 6})
FRAME = Frame(0, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0))
NAMES = ("cat", "dog", "owl")


def _facts(weights: list[float]) -> Facts:
    return Facts({}, NAMES, {}, {"shares": [0.5] * 3, "weights": weights})


def _data(*labels: tuple[str, ...] | None) -> Dataset:
    pictures = toy(Labels, len(labels))
    samples = [
        Sample(str(row), sample.images, None if names is None else Labels(names))
        for row, (sample, names) in enumerate(zip(pictures, labels, strict=True))
    ]
    return Dataset(samples, names=NAMES, kind=Labels)


@pytest.mark.parametrize(
    ("labels", "strength"),
    [
        ([("cat",), ("cat", "dog")], 2),
        ([("cat",), ()], 2),  # of which it is known that nothing holds
        ([("cat",), ("dog",), None], 1),  # nothing is known of the last
        ([("cat",), ("cat",), None], 0),
        ([(), ()], 0),
        ([None, None], 0),
    ],
)
def test_it_is_natural_where_names_stand_side_by_side(labels: list[tuple[str, ...] | None], strength: int) -> None:
    assert TASK.fits(_data(*labels)).strength == strength


def test_shares_and_votes_exclude_one_another_and_marks_do_not() -> None:
    image = toy(Labels, 1)[0].images
    for scores, many in (([0.7, 0.3], False), ([3, 1], False), ([0.9, 0.8], True), ([1, np.nan], True)):
        truth = Labels(("cat", "dog"), np.array(scores, np.float32))
        assert Dataset([Sample("a", image, truth)]).naming.many is many


def test_scores_are_independent_and_weights_are_taken_out_again() -> None:
    """Learnt with a weight w, an honest chance p shows as odds w p / (1 - p)."""
    chances, weights = np.array([0.5, 0.2, 0.05]), [1.0, 2.0, 10.0]
    logits = np.log(np.array(weights) * chances / (1 - chances))[None].astype(np.float32)
    (answer,) = TASK.decode({"logits": logits}, [FRAME], _facts(weights))
    assert isinstance(answer, Labels)
    assert answer.scores == pytest.approx(chances, abs=1e-6)
    (far,) = TASK.decode({"logits": np.array([[1e5, -1e5, 0]], np.float32)}, [FRAME], _facts([1.0] * 3))
    assert isinstance(far, Labels)
    assert far.scores == pytest.approx([1, 0, 0.5])


def test_rare_names_weigh_more_within_bounds() -> None:
    data = _data(*[("cat", "dog")] * 3, *[("cat",)] * 96, ())
    facts = TASK.prepare(data, TASK.Options(), "small")
    assert facts.extra["shares"] == pytest.approx([0.99, 0.03, 0.0])
    assert facts.extra["weights"] == pytest.approx([1.0, np.sqrt(97 / 3), 10.0], abs=1e-3)
    plain = TASK.prepare(data, TASK.Options(balance=False), "small")
    assert plain.extra["weights"] == [1.0, 1.0, 1.0]


def test_marks_say_what_holds_what_does_not_and_what_nobody_knows() -> None:
    doubtful = Labels(("owl", "dog"), np.array([0.25, np.nan], np.float32))
    samples = [Sample("a", truth=Labels(("dog", "cat"))), Sample("b", truth=Labels(())), Sample("c", truth=doubtful)]
    frames = [Frame(row, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for row in range(3)]
    marks = TASK.targets(samples, frames, _facts([1.0] * 3))["marks"]
    np.testing.assert_array_equal(marks, [[1, 1, 0], [0, 0, 0], [0, np.nan, 0.25]])
    data = Dataset([Sample(s.id, toy(Labels, 1)[0].images, s.truth) for s in samples], names=NAMES, kind=Labels)
    shares = TASK.prepare(data, TASK.Options(), "small").extra["shares"]
    assert shares == pytest.approx([1 / 3, 1 / 2, 0.25 / 3], abs=1e-6)  # of the dog it is known twice


def test_a_strange_name_and_no_label_are_refused_with_the_sample() -> None:
    with pytest.raises(InputError, match="stray: its label 'fox' is none of cat, dog, owl"):
        TASK.targets([Sample("stray", truth=Labels(("cat", "fox")))], [FRAME], _facts([1.0] * 3))
    with pytest.raises(InputError, match="bare: it has no label"):
        TASK.targets([Sample("bare")], [FRAME], _facts([1.0] * 3))


def test_names_that_never_differ_are_nothing_to_learn() -> None:
    with pytest.raises(InputError, match="each holds for every picture or for none"):
        TASK.prepare(_data(("cat", "dog"), ("cat", "dog")), TASK.Options(), "small")
