"""From the record of a run to a loop that can go on: the same in every process that takes part."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sightline.core.dataset import Dataset
from sightline.core.files import canonical, write_durably
from sightline.core.heap import kept_memory
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.splitting import split_digest
from sightline.core.task import Facts, Task, posed
from sightline.core.threads import one_thread
from sightline.training.choices import Choices, device_for
from sightline.training.guard import Asked
from sightline.training.imbalance import handled
from sightline.training.layers import answering
from sightline.training.learner import Learner, build
from sightline.training.loop import Loop
from sightline.training.settings import Settings
from sightline.training.start import begin
from sightline.training.teacher import teacher
from sightline.training.team import ALONE, Team


def assemble(
    run: Run,
    task: Task,
    sides: Dataset,
    settings: Settings,
    info: Mapping[str, Any],
    asked: Asked,
    *,
    tell: Tell = silent,
    team: Team = ALONE,
) -> Loop:
    """Network, learner and loop as `run.json` fixed them, on the device of this process."""
    choices = Choices(**info["choices"])
    if team.size > 1 and choices.device == "cuda":
        choices = replace(choices, device=f"cuda:{team.rank}")
    device_for(choices.device)
    facts = Facts.from_json(info["facts"])
    uneven = info.get("imbalance")
    settings = handled(uneven, settings, tell)
    begun_before, fresh = any(run.path.glob("checkpoints/*.json")), False
    model = (facts.extra.get("alone") if begun_before else None) or info["model"]
    network = build(task, model, facts, choices, settings.seed)
    if settings.start and not begun_before:
        begun = begin(network, facts, settings.start)
        fresh = not answering(network).isdisjoint(begun["anew"])
        tell(Event("note", begun["line"]))
        if team.first:
            write_durably(run.path / "start.json", canonical(begun))
    learner = Learner(task, network, settings, choices)
    learner.teacher = teacher(task, facts, settings, choices)
    train, val = sides.side("train"), posed(task, sides.side("val"), facts)
    made = Loop(run, task, facts, train, val, settings, info["phases"], learner, asked, tell, team)
    made.fresh = fresh
    made.keep = uneven["kept_by"] if uneven else task.metrics[0]
    return made


def parting(sides: Dataset) -> str:
    """A hash of which sample lies on which side."""
    return split_digest(sides)


@contextlib.contextmanager
def computing(threads: int) -> Iterator[None]:
    """Torch's threads as the run fixed them, none of OpenCV's beside them, and memory that one step leaves the next."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with one_thread(), kept_memory():
            yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def repeatable() -> Iterator[None]:
    """Equal seeds give equal weights while inside; new memory is not filled first, which every layer would wait for."""
    import torch
    import torch.utils.deterministic as filling

    filled, filling.fill_uninitialized_memory = filling.fill_uninitialized_memory, False  # type: ignore[attr-defined]
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    state = torch.get_rng_state()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        filling.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(before, warn_only=warned)
        torch.set_rng_state(state)
