"""What a step costs more in the loop than in a bare script: the same network, batches, optimiser and recipe.

    PYTHONPATH=src python benchmarks/loop_overhead.py [--models quick:s,small] [--batch 32] [--steps 12] [--rounds 9]

Three ways take turns in one process, each over the same batches that are already in memory: `bare` is gradients to
zero, forward, loss, backward, step; `recipe` is the same with the clipping and the moving average that every run has,
written as one would by hand; `loop` is the training loop itself, with all it does besides (chance by step, numbers that
are not finite kept from weights, running means to go back to, events). Time is that of the processor, on one thread.
Printed are the medians over rounds and of the ratios of each round.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sightline.core import catalog
from sightline.core.data import open_data
from sightline.core.run import Run
from sightline.tasks.classify import Classify
from sightline.training import loop as looping
from sightline.training.choices import Choices
from sightline.training.guard import Asked
from sightline.training.learner import Learner, build
from sightline.training.loader import Batch
from sightline.training.settings import Settings

PLAIN = Choices("cpu", "float32", "plain", 1)


def ways(model: str, batch: int, steps: int, room: Path) -> dict[str, Callable[[], None]]:
    """The three ways, each a call that takes so many steps."""
    task, data = Classify(), open_data(f"drawn:shapes?count={4 * batch}&size=32")
    facts = task.prepare(data, task.Options(), model)
    settings = Settings(batch=batch, epochs=1000, workers=0, augment=False, patience=0)
    rows = [list(range(at, at + batch)) for at in range(0, len(data), batch)]
    made = []
    for mine in rows:
        arrays, frames = task.inputs([data[row] for row in mine], facts)
        made.append({**arrays, **task.targets([data[row] for row in mine], frames, facts)})

    class Ready:
        """Stands where the loader does: every batch is in memory."""

        ahead = 0

        def __init__(self, *given: Any) -> None:
            pass

        def batches(self, epoch: int, plan: Sequence[Sequence[int]], skipped: set[str]) -> Iterator[Batch]:
            for place, mine in enumerate(plan):
                yield Batch(made[place % len(made)], list(mine))

    looping.Loader = Ready  # type: ignore[assignment,misc]
    network = build(task, model, facts, PLAIN, 0)
    learner = Learner(task, copy.deepcopy(network), settings, PLAIN)
    loop = looping.Loop(
        Run(room), task, facts, data, data.take([]), settings, [1000], learner, Asked(), lambda event: None
    )
    plan = [rows[place % len(rows)] for place in range(steps)]

    def inside() -> None:
        loop.state.place, loop.state.seen, loop.state.sums = 0, 0, {}
        loop._steps(plan, 0)

    bare = _by_hand(copy.deepcopy(network), made, steps, settings, recipe=False)
    recipe = _by_hand(copy.deepcopy(network), made, steps, settings, recipe=True)
    return {"bare": bare, "recipe": recipe, "loop": inside}


def _by_hand(
    network: torch.nn.Module, made: list[dict[str, np.ndarray]], steps: int, settings: Settings, *, recipe: bool
) -> Callable[[], None]:
    lose = catalog.find("losses", "cross_entropy")
    weights = list(network.parameters())
    optimiser = catalog.find("optimisers", settings.optimiser)(weights)
    average = copy.deepcopy(network).eval().requires_grad_(False)

    def go() -> None:
        network.train()
        for arrays in itertools.islice(itertools.cycle(made), steps):
            optimiser.zero_grad()
            logits = network(image=torch.from_numpy(arrays["image"]))["logits"]
            lost = lose(logits, torch.from_numpy(arrays["classes"]), smoothing=0.05)
            lost.backward()
            if recipe:
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            if recipe:
                with torch.no_grad():
                    for mine, theirs in zip(average.parameters(), weights, strict=True):
                        mine.lerp_(theirs, 0.01)
                    for kept, latest in zip(average.buffers(), network.buffers(), strict=True):
                        kept.copy_(latest)
            lost.item()

    return go


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="quick:s,small")
    for name, value in (("batch", 32), ("steps", 12), ("rounds", 9)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, commit {commit.strip()}"
    )
    for model in given.models.split(","):
        with tempfile.TemporaryDirectory() as room:
            three = ways(model, given.batch, given.steps, Path(room))
            taken: dict[str, list[float]] = {name: [] for name in three}
            for turn in range(given.rounds + 1):
                for name, way in three.items():
                    start = time.process_time()
                    way()
                    if turn:
                        taken[name].append((time.process_time() - start) / given.steps * 1e3)
        print(
            f"\n{model}, batches of {given.batch} at 32 x 32, medians of {given.rounds} rounds of {given.steps} steps"
        )
        for name, times in taken.items():
            over = [mine / theirs - 1 for mine, theirs in zip(times, taken["bare"], strict=True)]
            hand = [mine / theirs - 1 for mine, theirs in zip(times, taken["recipe"], strict=True)]
            print(
                f"{name:7} {statistics.median(times):8.2f} ms a step, {statistics.median(over):+7.1%} against bare, "
                f"{statistics.median(hand):+7.1%} against the recipe by hand",
                flush=True,
            )


if __name__ == "__main__":
    main()
