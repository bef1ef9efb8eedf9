"""A task, a run of its graph and samples, to answers: whoever runs the graph."""

import numpy as np
import pytest
import torch
from torch import nn

from sightline.core.annotations import Annotation, Picture, Value
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts
from sightline.formats._later import later
from sightline.predicting.answers import answers, judged, torch_run
from sightline.tasks.generate import TASK as GENERATE
from sightline.tasks.restore import TASK as RESTORE

FACTS = Facts({"image": InputSpec((4, 4))}, options={"steps": 2})
RESTORED = Facts({"image": InputSpec((4, 4), 3, "uint8", "tile")})


def _still(arrays: Arrays) -> Arrays:
    return {"velocity": np.zeros_like(arrays["picture"])}


def test_chance_is_keyed_by_seed_and_sample_alone() -> None:
    samples = [Sample(f"s{place}") for place in range(7)]
    one, other, seeded = (
        [answer for _, answer in answers(GENERATE, _still, samples, FACTS, batch=batch, seed=seed)]
        for batch, seed in ((2, 0), (7, 0), (7, 1))
    )
    for first, second, third in zip(one, other, seeded, strict=True):
        assert isinstance(first, Annotation)
        assert first.gap(second) == 0
        assert first.gap(third) > 0.1
    assert one[0].gap(one[1]) > 0.1  # type: ignore[union-attr]


def test_nothing_is_answered_by_nothing() -> None:
    assert list(answers(GENERATE, _still, [], FACTS)) == []


def test_our_own_mistakes_are_not_taken_for_bad_pictures() -> None:
    """An error that is not the user's keeps its traceback and stops the answers."""

    def broken(arrays: Arrays) -> Arrays:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(answers(GENERATE, broken, [Sample("a")], FACTS))


def test_only_the_samples_to_blame_are_refused() -> None:
    class Picky(type(GENERATE)):  # type: ignore[misc]
        calls: list[int] = []

        def predict(self, run: object, samples: list[Sample], facts: Facts, rng: object) -> list[Annotation]:
            self.calls.append(len(samples))
            if bad := [sample.id for sample in samples if not sample.images]:
                raise InputError("empty", f"{bad[0]} is empty.")
            return [Value(("n",), np.zeros(1)) for _ in samples]

    picture = (ArrayImage(np.zeros((4, 4, 3), np.uint8)),)
    samples = [Sample(f"s{place}", () if place in (1, 5) else picture) for place in range(8)]
    given = list(answers(Picky(), _still, samples, FACTS, batch=4))
    assert [isinstance(answer, InputError) for _, answer in given] == [place in (1, 5) for place in range(8)]
    assert [answer.message for _, answer in given if isinstance(answer, InputError)] == ["s1 is empty.", "s5 is empty."]


def test_torch_answers_as_in_use_and_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Dropout(0.5)).train()

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"y": self.inner(x).double()}

    module = Named().train()
    x = np.ones((3, 2), np.float32)
    made = torch_run(module)({"x": x})["y"]
    assert (made == x).all()
    assert made.dtype == np.float32
    assert module.training
    assert network.training


def test_what_cannot_be_held_against_its_answer_is_named_and_harms_no_neighbour() -> None:
    """A clean picture whose file is damaged, and one of another size."""

    def broken() -> Picture:
        raise InputError("truncated", "clean/1.png: cut short.")

    clean = Picture(np.zeros((4, 4, 3), np.uint8))
    truths = [clean, later(Picture, broken), Picture(np.zeros((8, 8, 3), np.uint8)), None]
    samples = [Sample(f"s{place}", truth=truth) for place, truth in enumerate(truths)]
    failed: dict[str, str] = {}
    kept = list(judged(RESTORE, [(sample, clean) for sample in samples], RESTORED, failed))
    assert [(sample.id, answer) for sample, _, answer, _ in kept] == [("s0", clean)]
    assert failed == {
        "s1": "clean/1.png: cut short.",
        "s2": "s2: its clean picture and the answer differ in size (8 x 8 x 3 and 4 x 4 x 3).",
    }
    unread: list[tuple[Sample, InputError]] = [(samples[0], InputError("empty", "s0 is empty."))]
    assert list(judged(RESTORE, unread, RESTORED, failed)) == []
    assert failed["s0"] == "s0 is empty."
