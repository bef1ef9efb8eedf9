"""What each task learns in its tests, learnt once and shared by every test and every worker.

`tests/tasks/test_<name>.py` holds LESSON; a task of another package learns toys of its own record.
"""

import fcntl
import importlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.sides import held_out, reopen
from sightline.core.tally import Tally
from sightline.core.task import Facts, Task
from sightline.evaluating.evaluate import Evaluation, evaluate
from sightline.exporting.export import export
from sightline.predicting.answers import answers, torch_run
from sightline.testing.toys import toy
from sightline.training.choices import Choices
from sightline.training.learner import build
from sightline.training.train import train

PLAIN = Choices("cpu", "float32", "plain", 1)
ALWAYS: dict[str, Any] = {
    "precision": "float32",
    "layout": "plain",
    "threads": 1,
    "workers": 1,
    "patience": 0,
    "average": 0.97,
    "rate": 0.004,
    "batch": 16,
}
DEAR = ("detect", "generate", "restore")  # whose studies take long, and are asked by the demonstration's tests
Bar = Callable[[float, float | None], float]  # (untrained, baseline) -> what the first metric must reach


@dataclass(frozen=True)
class Lesson:
    """Data, how to learn it, and what counts as having learnt it."""

    data: Callable[[], Dataset]
    bar: Bar
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def lesson_of(name: str) -> Lesson:
    """The lesson beside the task's own tests; toys for a task that another package brings."""
    task = catalog.find("tasks", name)
    if not task.__name__.startswith("sightline."):
        settings = {"epochs": 40, "rate": 0.02}
        return Lesson(lambda: toy(task.TASK.truth or task.TASK.kind), lambda untrained, _: untrained, settings)
    try:
        lesson: Lesson = importlib.import_module(f"tests.tasks.test_{name}").LESSON
    except (ModuleNotFoundError, AttributeError):
        pytest.fail(f"add LESSON = Lesson(data, bar, settings) to tests/tasks/test_{name}.py")
    return lesson


class Learnt:
    """One task after its lesson: the run, its evaluation and its bundle, each made once."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.task: Task = catalog.find("tasks", name).TASK
        self.lesson = lesson_of(name)
        self.data = self.lesson.data()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            settings = {**ALWAYS, **self.lesson.settings}
            self.run: Run = train(
                self.data, name, out=folder / "run", settings=settings, options=self.lesson.options, look=False
            )
            if not (folder / "parity.json").is_file():
                evaluate(self.run, self.data, quick=name in DEAR)
                made = export(self.run, data=self.data)
                (folder / "parity.json").write_text(json.dumps(made.to_json()["parity"]))
        self.facts = Facts.from_json(self.run.info["facts"])
        self.parity: list[dict[str, Any]] = json.loads((folder / "parity.json").read_text())

    @cached_property
    def evaluation(self) -> Evaluation:
        return Evaluation.read(self.run.evaluation)

    @cached_property
    def held(self) -> Dataset:
        """The side that was measured: nobody learnt from it."""
        return held_out(reopen(self.run.info, self.data))[1]

    @cached_property
    def untrained(self) -> Tally:
        """The first metric of the network as it was before its first step."""
        info = self.run.info
        network = build(self.task, info["model"], self.facts, PLAIN, info["settings"]["seed"])
        return self.measure(dict(answers(self.task, torch_run(network), self.held, self.facts)))

    def measure(self, given: Mapping[Sample, Annotation | InputError]) -> Tally:
        """The first metric of any answers."""
        pairs = [(self.task.reference(sample, self.facts), answer) for sample, answer in given.items()]
        metric: Callable[..., Tally] = catalog.find("metrics", self.task.metrics[0])
        return metric([truth for truth, _ in pairs], [answer for _, answer in pairs])


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this session."""
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "lessons"


@cache
def learnt(name: str, folder: Path) -> Learnt:
    """The task after its lesson; the first who asks waits for it, the others find it done."""
    return Learnt(name, folder / name)
