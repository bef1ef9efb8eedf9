"""A task, a run of its graph and samples: to answers, whoever runs the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.chance import generator
from sightline.core.errors import InputError
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Run, Task

Answer = tuple[Sample, Annotation | InputError]


def answers(
    task: Task,
    run: Run,
    samples: Iterable[Sample],
    facts: Facts,
    *,
    seed: int = 0,
    batch: int = 16,
    between: Callable[[], None] = lambda: None,
) -> Iterator[Answer]:
    """Every sample with its answer, in order; one that cannot be read gets its error and harms no neighbour.

    Chance is keyed by seed and sample id, so that an answer does not depend on its neighbours.
    """

    def rng(sample: Sample) -> np.random.Generator:
        return generator(seed, "answer", sample.id)

    group: list[Sample] = []
    for sample in samples:
        group.append(sample)
        if len(group) == batch:
            yield from _answered(task, run, group, facts, rng)
            group = []
            between()
    if group:
        yield from _answered(task, run, group, facts, rng)
        between()


def _answered(
    task: Task, run: Run, group: list[Sample], facts: Facts, rng: Callable[[Sample], np.random.Generator]
) -> list[Answer]:
    try:
        return list(zip(group, task.predict(run, group, facts, rng), strict=True))
    except InputError as error:
        if len(group) == 1:
            return [(group[0], error)]
    return [pair for sample in group for pair in _answered(task, run, [sample], facts, rng)]


def torch_run(network: Any, device: str = "cpu", precision: str = "float32") -> Run:
    """One pass of a torch network in eval mode, arrays in and arrays out."""
    import torch

    def run(arrays: Arrays) -> Arrays:
        was = network.training
        network.eval()
        try:
            kind = torch.device(device).type
            with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16"):
                out = network(**{name: torch.from_numpy(array).to(device) for name, array in arrays.items()})
            return {name: value.float().cpu().numpy() for name, value in out.items()}
        finally:
            network.train(was)

    return run
