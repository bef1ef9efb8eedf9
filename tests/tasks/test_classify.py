"""Naming pictures: its lesson, and the mathematics of its answer."""

import numpy as np
import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.sources.drawn import dataset
from sightline.tasks.classify import TASK
from sightline.testing.toys import toy
from tests.tasks.lessons import Lesson

LESSON = Lesson(lambda: dataset("shapes", 900, size=64), lambda *_: 0.88, {"epochs": 12})
FACTS = Facts({}, ("cat", "dog", "owl"))
FRAME = Frame(0, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0))


def test_scores_are_shares_of_the_exponentials() -> None:
    logits = np.log(np.array([[1, 2, 5], [4, 4, 8]], np.float32))
    answers = TASK.decode({"logits": logits}, [FRAME, FRAME], FACTS)
    first, second = answers
    assert isinstance(first, Labels)
    assert isinstance(second, Labels)
    assert first.scores is not None
    assert first.scores == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert second.scores == pytest.approx([1 / 4, 1 / 4, 1 / 2])
    assert first.best == "owl"


def test_huge_logits_are_no_trouble() -> None:
    (answer,) = TASK.decode({"logits": np.array([[1e4, 0, -1e4]], np.float32)}, [FRAME], FACTS)
    assert isinstance(answer, Labels)
    assert answer.scores == pytest.approx([1, 0, 0])


def test_one_name_is_nothing_to_learn() -> None:
    data = Dataset([Sample("a", truth=Labels(("cat",)))], name="one")
    assert TASK.fits(data).strength == 0
    assert "found 1" in TASK.fits(data).why
    assert TASK.fits(toy(Labels, 6)).strength == 2


def test_a_name_that_training_never_saw_is_refused_with_the_sample() -> None:
    samples = [Sample("stray", truth=Labels(("fox",)))]
    with pytest.raises(InputError, match="stray: its label 'fox' is none of cat, dog, owl"):
        TASK.targets(samples, [FRAME], FACTS)


def test_a_row_a_frame() -> None:
    """Where one picture gives several inputs, its name follows each."""
    samples = [Sample("a", truth=Labels(("owl",))), Sample("b", truth=Labels(("cat",)))]
    frames = [Frame(sample, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for sample in (0, 0, 1)]
    assert TASK.targets(samples, frames, FACTS)["classes"].tolist() == [2, 2, 0]


def test_mixed_names_are_learnt_by_their_shares() -> None:
    """A picture that is three parts owl and one part cat: the loss is least where the answer says so."""
    import torch

    from sightline.core import catalog

    mixed = Sample("m", truth=Labels(("owl", "cat"), np.array([0.75, 0.25], np.float32)))
    plain = Sample("p", truth=Labels(("dog",)))
    frames = [Frame(sample, (4, 4), (4, 4), (1.0, 1.0), (0.0, 0.0)) for sample in (0, 1)]
    rows = TASK.targets([mixed, plain], frames, FACTS)["classes"]
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0.25, 0, 0.75], [0, 1, 0]]
    lose = catalog.find("losses", "cross_entropy")
    shares = torch.from_numpy(rows[:1])
    losses = [float(lose(torch.log(torch.tensor([[p, 1e-6, 1 - p]])), shares)) for p in (0.05, 0.25, 0.5)]
    assert losses[1] == min(losses)
    with pytest.raises(InputError, match="none of cat, dog, owl"):
        TASK.targets([Sample("s", truth=Labels(("fox",), np.ones(1)))], frames[:1], FACTS)
