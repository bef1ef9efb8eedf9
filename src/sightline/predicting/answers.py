"""A task, a run of its graph and samples: to answers, whoever runs the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from sightline.core.annotations import Annotation, Picture
from sightline.core.calibration import NOTHING, Calibration
from sightline.core.chance import generator
from sightline.core.errors import InputError
from sightline.core.outliers import ASKED
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Run, Task

Answer = tuple[Sample, Annotation | InputError]
Noted = tuple[Sample, Annotation | InputError, Arrays]


def answers(
    task: Task,
    run: Run,
    samples: Iterable[Sample],
    facts: Facts,
    *,
    seed: int = 0,
    batch: int = 16,
    between: Callable[[], None] = lambda: None,
    calibration: Calibration = NOTHING,
) -> Iterator[Answer]:
    """Every sample with its answer, in order; one that cannot be read gets its error and harms no neighbour.

    Chance is keyed by seed and sample id, so that an answer does not depend on its neighbours. This is the one place
    where a calibration is applied, for evaluation, parity, bundle and service alike.
    """
    for sample, answer, row in noted(task, run, samples, facts, seed=seed, batch=batch, between=between):
        yield sample, answer if isinstance(answer, InputError) else calibration.apply(answer, row)


def noted(
    task: Task,
    run: Run,
    samples: Iterable[Sample],
    facts: Facts,
    *,
    seed: int = 0,
    batch: int = 16,
    between: Callable[[], None] = lambda: None,
) -> Iterator[Noted]:
    """Every sample with its answer as decoded, and its row of those outputs that tell how unlike its picture is."""

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
) -> list[Noted]:
    outputs: list[Arrays] = []

    def noting(arrays: Arrays) -> Arrays:
        outputs.append(run(arrays))
        return outputs[-1]

    try:
        given = task.predict(noting, group, facts, rng)
    except InputError as error:
        if len(group) == 1:
            return [(group[0], error, {})]
        return [row for sample in group for row in _answered(task, run, [sample], facts, rng)]
    told = outputs[0] if len(outputs) == 1 else {}  # a sampler asks many times and has no such row
    rows = {name: told[name] for name in ASKED if name in told and told[name].shape[:1] == (len(group),)}
    rows = {name: array for name, array in rows.items() if array.ndim == 2}
    each = [{name: array[place] for name, array in rows.items()} for place in range(len(group))]
    return list(zip(group, given, each, strict=True))


def reference(
    task: Task, sample: Sample, answer: Annotation | InputError, facts: Facts
) -> Annotation | InputError | None:
    """What is so of a sample that was answered, or why that cannot be held against the answer."""
    if isinstance(answer, InputError):
        return answer
    try:
        truth = task.reference(sample, facts)
    except InputError as error:
        return error
    if isinstance(truth, Picture) and isinstance(answer, Picture) and truth.pixels.shape != answer.pixels.shape:
        sizes = " and ".join(" x ".join(map(str, one.pixels.shape)) for one in (truth, answer))
        return InputError("mismatch", f"{sample.id}: its clean picture and the answer differ in size ({sizes}).")
    return truth


def judged(
    task: Task, given: Iterable[Answer] | Iterable[Noted], facts: Facts, failed: dict[str, str] | None = None
) -> Iterator[tuple[Sample, Annotation, Annotation, Arrays]]:
    """Samples that have a truth, with it, their answer and its row; those that cannot be compared are in `failed`."""
    for sample, answer, *row in given:
        truth = reference(task, sample, answer, facts)
        if isinstance(truth, InputError):
            if failed is not None:
                failed[sample.id] = truth.message
        elif truth is not None and not isinstance(answer, InputError):
            yield sample, truth, answer, row[0] if row else {}


def torch_run(network: Any, device: str = "cpu", precision: str = "float32", threads: int | None = None) -> Run:
    """One pass of a torch network in eval mode, arrays in and arrays out; `threads` are those of the whole process."""
    import torch

    def run(arrays: Arrays) -> Arrays:
        if threads is not None and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
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
