"""What tasks get for nothing: facts that travel as JSON, an order, a prediction, graphs."""

import functools
import json
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.inputs import Frame, InputSpec
from sightline.core.progress import Event, silent
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Fit, Step, Task, name_rows

FACTS = Facts(
    {"image": InputSpec((4, 5), 1), "mask": InputSpec((4, 5), 2, "float32", "tile", 2)}, ("a", "b"), {"size": 3}
)


class Brightest(Task):
    """The name of the brighter half."""

    kind = Labels
    metrics = ("accuracy",)
    model = "none"

    @dataclass(frozen=True)
    class Options:
        pass

    def fits(self, data: Dataset) -> Fit:
        return Fit(1, "when named")

    def prepare(self, data: Dataset, options: Any, model: str) -> Facts:
        return FACTS

    def network(self, model: str, facts: Facts) -> Any:
        return None

    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        return {}

    def loss(self, step: Step) -> dict[str, Any]:
        return {}

    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        return [Labels((facts.names[int(row)],)) for row in outputs["best"]]


def sample(name: str | None = "a", shade: int = 0) -> Sample:
    truth = None if name is None else Labels((name,))
    return Sample("s", (ArrayImage(np.full((4, 5, 1), shade, np.uint8)),), truth)


def test_facts_travel_as_json() -> None:
    back = Facts.from_json(json.loads(json.dumps(FACTS.to_json())))
    assert back == FACTS
    assert list(back.inputs) == ["image", "mask"]
    assert back.input == InputSpec((4, 5), 1)


def test_defaults() -> None:
    task, facts = Brightest(), Facts({"image": InputSpec((4, 5), 1)}, ("a", "b"))
    data = Dataset([sample() for _ in range(7)])
    order = task.order(data, facts, 3, np.random.default_rng(0))
    assert [len(batch) for batch in order] == [3, 3, 1]
    assert sorted(functools.reduce(operator.iadd, order, [])) == list(range(7))
    assert task.order(data, facts, 3, np.random.default_rng(0)) == order
    assert task.augment(facts) == ()
    assert task.reference(data[0], facts) is data[0].truth
    assert task.truth is None

    def run(arrays: Arrays) -> Arrays:
        return {"best": (arrays["image"].mean((1, 2, 3)) > 100).astype(int)}

    answers = task.predict(run, [sample(shade=0), sample(shade=200)], facts, lambda _: np.random.default_rng(0))
    assert [answer.best for answer in answers] == ["a", "b"]  # type: ignore[attr-defined]
    graph = task.graphs("network", facts)["model"]
    assert (graph.module, graph.inputs["image"].shape, graph.dynamic) == ("network", (1, 4, 5, 1), {"image": (0,)})


def test_rows_of_names() -> None:
    frames = [Frame(0, (4, 5), (4, 5), (1, 1), (0, 0)), Frame(1, (4, 5), (4, 5), (1, 1), (0, 0))]
    assert name_rows([sample("b"), sample("a")], frames, ("a", "b")).tolist() == [1, 0]
    for wrong in ("c", None):
        with pytest.raises(InputError, match="is none of a, b") as caught:
            name_rows([sample("a"), sample(wrong)], frames, ("a", "b"))
        assert caught.value.code == "label"


def test_a_sample_shows_its_first_picture() -> None:
    one = sample(shade=7)
    assert one.image is one.images[0]
    assert one.pixels().max() == 7
    with pytest.raises(IndexError):
        _ = Sample("none").image


def test_nobody_needs_to_listen() -> None:
    assert silent(Event("note", "text")) is None  # type: ignore[func-returns-value]
    assert Event("done").facts == {}
