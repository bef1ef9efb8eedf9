"""Numbers with intervals: its lesson, missing and impossible numbers, and the way back to their own unit."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.core.annotations import Labels, Value
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.core.thresholds import NORMAL
from sightline.tasks.estimate import TASK
from sightline.testing.toys import toy
from tests.tasks.lessons import Lesson
from tests.tasks.worlds import squares

LESSON = Lesson(squares, lambda _, baseline: 0.5 * float(baseline or 0), {"epochs": 10})
FRAME = Frame(0, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0))
FACTS = Facts({}, ("age", "price"), {}, {"middle": [40.0, 1e6], "wide": [10.0, 2e5]})


def _data(*rows: tuple[float, float]) -> Dataset:
    samples = [
        replace(sample, truth=Value(("age", "price"), np.array(row)))
        for sample, row in zip(toy(Value, len(rows)), rows, strict=True)
    ]
    return Dataset(samples, name="some", names=("age", "price"), kind=Value)


def test_numbers_are_learnt_in_spreads_and_answered_in_their_own_unit() -> None:
    facts = TASK.prepare(_data((30, 1.0), (50, 3.0)), TASK.Options(), "small")
    assert facts.extra == {"middle": [40.0, 2.0], "wide": [10.0, 1.0]}
    truth = Sample("a", truth=Value(("price", "age"), np.array([1.2e6, 30.0])))  # in another order
    wanted = TASK.targets([truth], [FRAME], FACTS)["numbers"]
    assert wanted.tolist() == [[-1.0, 1.0]]
    (answer,) = TASK.decode({"numbers": wanted, "spread": np.array([[0.5, 0.1]], np.float32)}, [FRAME], FACTS)
    assert isinstance(answer, Value)
    assert answer.numbers == pytest.approx([30.0, 1.2e6])
    assert answer.high is not None
    assert answer.high - answer.numbers == pytest.approx([NORMAL * 5, NORMAL * 2e4], rel=1e-4)
    assert answer.low is not None
    assert answer.numbers - answer.low == pytest.approx(answer.high - answer.numbers, rel=1e-4)


def test_a_missing_number_is_unknown_and_an_infinite_one_is_refused() -> None:
    nan = float("nan")
    facts = TASK.prepare(_data((30, 1.0), (nan, 3.0), (50, nan)), TASK.Options(), "small")
    assert facts.extra["middle"] == [40.0, 2.0]
    lacking = [Sample("a", truth=Value(("price",), np.array([8e5])))]
    np.testing.assert_array_equal(TASK.targets(lacking, [FRAME], FACTS)["numbers"], [[nan, -1.0]])
    with pytest.raises(InputError, match="b: price is infinite"):
        TASK.targets([Sample("b", truth=Value(("age", "price"), np.array([1, np.inf])))], [FRAME], FACTS)
    with pytest.raises(InputError, match="c: has the numbers size, wanted are age, price"):
        TASK.targets([Sample("c", truth=Value(("size",), np.ones(1)))], [FRAME], FACTS)
    with pytest.raises(InputError, match="d: has the numbers none"):
        TASK.targets([Sample("d")], [FRAME], FACTS)


def test_what_never_differs_and_what_nobody_knows_is_nothing_to_learn() -> None:
    with pytest.raises(InputError, match="some: age, price is the same for every picture"):
        TASK.prepare(_data((5, 1.0), (5, 1.0)), TASK.Options(), "small")
    with pytest.raises(InputError, match="no picture has a number for price"):
        TASK.prepare(_data((5, np.nan), (6, np.nan)), TASK.Options(), "small")
    assert TASK.prepare(_data((5, 1.0), (6, 1.0)), TASK.Options(), "small").extra["wide"] == [0.5, 1.0]


def test_it_is_the_reading_of_numbers_alone() -> None:
    assert TASK.fits(_data((1, 2), (3, 4))).strength == 2
    assert "age, price" in TASK.fits(_data((1, 2))).why
    assert TASK.fits(toy(Labels, 3)).strength == 0
