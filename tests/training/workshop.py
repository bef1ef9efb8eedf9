"""A run built by hand from real parts, small enough to take hundreds of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.kill_training import toy
from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.splitting import split
from sightline.core.task import Task
from sightline.tasks.classify import Classify
from sightline.training.choices import Choices
from sightline.training.guard import Asked
from sightline.training.learner import Learner, build
from sightline.training.loop import Loop
from sightline.training.settings import Settings

PLAIN = Choices("cpu", "float32", "plain", 1)
QUICK: dict[str, Any] = {
    "epochs": 2,
    "batch": 8,
    "precision": "float32",
    "layout": "plain",
    "workers": 0,
    "patience": 0,
}


def loop(
    folder: Path, data: Dataset | None = None, task: Task | None = None, *, tell: Tell = silent, **settings: Any
) -> Loop:
    """A loop that has not begun, with everything that `train` would have given it."""
    task = task or Classify()
    sides = split(data or toy("labels"), seed=0)
    chosen = Settings(**{**QUICK, **settings})
    facts = task.prepare(sides.side("train"), task.Options(), task.model)
    network = build(task, task.model, facts, PLAIN, chosen.seed)
    learner = Learner(task, network, chosen, PLAIN)
    train, val = sides.side("train"), sides.side("val")
    return Loop(Run(folder), task, facts, train, val, chosen, [chosen.epochs], learner, Asked(), tell)


def weights(made: Loop) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in made.learner.network.state_dict().items()}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def once_at(step: int, act: Callable[[], None]) -> Tell:
    """Do something once, right after this many steps."""
    seen = {"steps": 0, "done": False}

    def tell(event: Event) -> None:
        if event.kind == "progress":
            seen["steps"] += 1
            if seen["steps"] == step and not seen["done"]:
                seen["done"] = True
                act()

    return tell


def floats(count: int = 48, poisoned: tuple[int, ...] = ()) -> Dataset:
    """Float pictures of three brightnesses; the poisoned ones hold a NaN."""
    samples = []
    for index in range(count):
        pixels = np.random.default_rng(index).random((32, 32, 3), np.float32) * 0.2 + 0.3 * (index % 3)
        if index in poisoned:
            pixels[3, 4, 1] = np.nan
        samples.append(
            Sample(f"float-{index:02d}", (ArrayImage(pixels),), Labels((("dark", "gray", "light")[index % 3],)))
        )
    return Dataset(samples, name="floats", recipe=f"floats {count} {poisoned}")
