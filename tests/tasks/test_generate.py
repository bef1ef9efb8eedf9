"""Generating pictures: its lesson, and a walk that needs no network to be checked."""

import numpy as np
import pytest

from sightline.core.annotations import Picture
from sightline.core.chance import generator
from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts
from sightline.predicting.model import largest_gap, load
from sightline.sources.drawn import dataset
from sightline.tasks.generate import TASK
from tests.tasks.lessons import Learnt, Lesson, learnt, shared_folder

LESSON = Lesson(
    lambda: dataset("shapes", 240, size=32),
    lambda untrained, _: untrained / 2,
    {"epochs": 14},
    {"size": 16, "steps": 12},
)
FACTS = Facts({"image": InputSpec((8, 8))}, options={"steps": 10})


@pytest.fixture
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    return learnt("generate", shared_folder(tmp_path_factory))


def _chance(sample: Sample) -> np.random.Generator:
    return generator(0, "answer", sample.id)


def test_the_true_velocity_walks_straight_to_the_picture() -> None:
    """Rectified flow towards one picture: from noise at time 1 the true way is (place - picture) / time."""
    goal = np.linspace(-0.9, 0.9, 8 * 8 * 3, dtype=np.float32).reshape(8, 8, 3)
    times = []

    def run(arrays: Arrays) -> Arrays:
        times.append(float(arrays["time"][0]))
        return {"velocity": (arrays["picture"] - goal) / arrays["time"][:, None, None, None]}

    answers = TASK.predict(run, [Sample("a"), Sample("b")], FACTS, _chance)
    assert times == pytest.approx([1 - step / 10 for step in range(10)])
    for answer in answers:
        assert isinstance(answer, Picture)
        assert np.abs(answer.pixels.astype(np.float64) - (goal * 127.5 + 127.5)).max() <= 1


def test_what_comes_depends_on_the_request_alone() -> None:
    def still(arrays: Arrays) -> Arrays:
        return {"velocity": np.zeros_like(arrays["picture"])}

    first, second = TASK.predict(still, [Sample("a"), Sample("b")], FACTS, _chance)
    (again,) = TASK.predict(still, [Sample("b")], FACTS, _chance)
    assert second.gap(again) == 0
    assert first.gap(second) > 0.3


def test_a_number_asks_for_that_many_and_a_seed_for_others(pupil: Learnt) -> None:
    model = load(pupil.run.bundle, threads=1)
    three, five, other = model.predict(3), model.predict(5), model.predict(3, seed=1)
    assert (len(three), len(five)) == (3, 5)
    assert largest_gap(three, five[:3]) <= Picture.tolerance
    assert min(one.gap(twin) for one, twin in zip(three, other, strict=True)) > Picture.tolerance
    assert three[0].gap(three[1]) > Picture.tolerance


def test_the_reference_is_the_picture_at_the_size_of_the_answer() -> None:
    sample = Sample("a", (ArrayImage(np.full((20, 20, 3), 77, np.uint8)),))
    reference = TASK.reference(sample, FACTS)
    assert isinstance(reference, Picture)
    assert reference.pixels.shape == (8, 8, 3)
    assert (reference.pixels == 77).all()
    assert TASK.reference(Sample("request"), FACTS) is None
