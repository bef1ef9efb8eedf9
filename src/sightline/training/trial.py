"""Real steps on a throw-away copy of what is to be trained: how fast each mode is, and how long an epoch will take."""

from __future__ import annotations

import contextlib
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.task import Facts, Task
from sightline.training.choices import Choices
from sightline.training.learner import Learner, build, to_device
from sightline.training.loader import Batch, Loader, mover
from sightline.training.settings import Settings
from sightline.training.step import NotFinite, Stepper

ROWS = 64  # of a step that compares modes: what is fastest on these is fastest on more
WARM = 2  # steps
FEW = 24  # rows of a batch for what is solved at once
MOST = 64  # batches of a trial


def stepping(
    task: Task, model: str, facts: Facts, data: Dataset, settings: Settings, most: int = ROWS
) -> Callable[[Any], Callable[[], None]]:
    """Real steps of `most` rows on a throw-away copy, for the choice of precision and layout."""

    @functools.cache
    def made() -> Batch:
        count = min(most, settings.batch, max(len(data), ROWS))
        rows = generator(settings.seed, "trial").integers(len(data), size=count).tolist()
        return Loader(task, facts, data, settings.seed, None, 0).make(0, rows, set())

    def prepared(mode: Any) -> Callable[[], None]:
        batch, network = made(), build(task, model, facts, mode, settings.seed)
        stepper = Stepper(task, facts, Learner(task, network, settings, mode))

        def step() -> None:
            if batch.rows and not hasattr(network, "solve"):
                with contextlib.suppress(NotFinite):  # the run itself will meet it and say so
                    stepper.take([batch.arrays], 0, 1.0, 0.0)

        return step

    return prepared


def speed(
    task: Task, model: str, facts: Facts, data: Dataset, settings: Settings, choices: Choices, seconds: float
) -> float:
    """Seconds that learning from one picture takes, with all that happens to it before; tried for about `seconds`."""
    from sightline.training.assemble import computing, repeatable

    chance, rows = generator(settings.seed, "speed"), min(2 * ROWS, settings.batch)
    with repeatable(), computing(choices.threads):
        network = build(task, model, facts, choices, settings.seed)
        closed = hasattr(network, "solve")
        loader = Loader(task, facts, data, settings.seed, None if closed else mover(task, facts, settings), 0)
        plan = chance.integers(len(data), size=(MOST, FEW if closed else rows)).tolist()
        if closed:
            return _solving(network, loader, plan, settings, choices)
        loader.workers = settings.workers
        stepper = Stepper(task, facts, Learner(task, network, settings, choices))
        return _stepping(stepper, loader, plan, seconds)


def _stepping(stepper: Stepper, loader: Any, plan: list[list[int]], seconds: float) -> float:
    """The first two steps warm up; the rest, three or more, count."""
    begun = start = now = time.perf_counter()
    done = 0
    with contextlib.closing(loader.batches(0, plan, set())) as stream:
        for place, batch in enumerate(stream):
            if batch.rows:
                with contextlib.suppress(NotFinite):
                    stepper.take([batch.arrays], place, 1.0, 0.0)
            now = time.perf_counter()
            if place < WARM:
                start = now
                continue
            done += len(plan[place])
            if now - begun > seconds and place >= WARM + 2:
                break
    return (now - start) / max(1, done)


def _solving(network: Any, loader: Any, plan: list[list[int]], settings: Settings, choices: Choices) -> float:
    """What more rows cost beyond fewer; the part that does not grow with them is not counted.

    The quickest of each counts. Where even so more were no slower, noise hides what a row costs: all of the time is it.
    """

    def taken(count: int) -> float:
        start = time.perf_counter()
        network.solve(to_device(loader.make(0, rows, set()).arrays, choices.device) for rows in plan[:count])
        return time.perf_counter() - start

    taken(1)  # warms up
    few, more = min(taken(1), taken(1)), min(taken(4), taken(4))
    grown, rows = (more - few, 3 * FEW) if more > few else (more, 4 * FEW)
    return max(1e-6, grown / rows)


def latency(task: Task, model: str, facts: Facts) -> float:
    """Milliseconds that one answer takes on this processor, with the network as it would be asked."""
    import torch

    from sightline.predicting.answers import torch_run

    network = task.network(model, facts).eval()
    passes = torch_run(network)
    arrays = {name: spec.example() for name, spec in facts.inputs.items()}
    taken = []
    with torch.inference_mode():
        for _ in range(15):
            start = time.perf_counter()
            passes(arrays)
            taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken[3:])
