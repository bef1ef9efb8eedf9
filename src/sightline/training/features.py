"""What a resting network sees in each picture, worked out once: only what answers is learnt, an epoch in seconds.

Where nothing below the head learns and no augmentation changes a picture, each epoch would work out the same numbers
again. They are kept instead, in memory while they are few and else in a file of the run that vanishes with the process.
Batches, their order and all chance are as they would be without.
"""

from __future__ import annotations

import copy
import itertools
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame
from sightline.core.progress import Event, Tell
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Task
from sightline.predicting.answers import torch_run
from sightline.training.learner import Learner

GROUP = 32  # pictures that are looked at together
IN_MEMORY = 256 * 2**20  # bytes, above which the numbers lie in a file
Read = list[tuple[list[Sample], Arrays | InputError, list[Frame]]]


class Short(nn.Module):
    """A network that is given what its resting part sees instead of pictures."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.train(network.training)

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        (pooled,) = inputs.values()
        return self.network.answered(pooled)  # type: ignore[operator,no-any-return]

    def get_submodule(self, target: str) -> nn.Module:
        return self.network.get_submodule(target)


class _Pooled(nn.Module):
    """Only the resting part."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.train(network.training)

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        (pixels,) = inputs.values()
        return {"pooled": self.network.pooled(pixels)}  # type: ignore[operator]


@dataclass(slots=True)
class Features:
    """Numbers by picture, in the order in which they were looked at."""

    name: str  # of the input in whose stead they stand
    rows: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    places: dict[str, tuple[int, list[Frame]]] = field(default_factory=dict)
    bad: dict[str, InputError] = field(default_factory=dict)

    def add(self, read: Read, run: Callable[[Arrays], Arrays], table: _Table) -> None:
        """Look at pictures and note where their numbers lie."""
        for samples, arrays, frames in read:
            if isinstance(arrays, InputError):
                self.bad[samples[0].id] = arrays
                continue
            first = table.add(run(arrays)["pooled"])
            for row, frame in enumerate(frames, first):
                place, held = self.places.setdefault(samples[frame.sample].id, (row, []))
                assert row == place + len(held), "the frames of a picture lie side by side"
                held.append(frame)

    def inputs(self, samples: Sequence[Sample], facts: Facts) -> tuple[Arrays, list[Frame]]:
        """In place of the task's own: no picture is opened."""
        wanted: list[int] = []
        frames: list[Frame] = []
        for place, sample in enumerate(samples):
            if sample.id in self.bad:
                raise self.bad[sample.id]
            first, mine = self.places[sample.id]
            wanted += range(first, first + len(mine))
            frames += [Frame(place, f.original, f.size, f.scale, f.offset) for f in mine]
        return {self.name: self.rows[wanted]}, frames


def parted(learner: Learner, facts: Facts) -> bool:
    """Whether all that learns lies behind what `pooled` gives, by trying it on an empty picture."""
    network: Any = learner.network
    if not learner.frozen or len(facts.inputs) != 1 or not hasattr(network, "pooled"):
        return False
    example = torch.from_numpy(facts.input.example()).to(learner.choices.device)
    network.eval()  # the next step teaches it again
    with torch.enable_grad():
        pooled = network.pooled(example)
    return not pooled.requires_grad and pooled.ndim == 2


def remembered(
    task: Task, facts: Facts, learner: Learner, sides: Sequence[Dataset], folder: Path, workers: int, tell: Tell
) -> Task | None:
    """The task with features for inputs; None where they would not fit or names of samples are not unique."""
    ids = [name for side in sides for name in side.column("id")]
    size = 4 * _width(learner, facts) * len(ids)
    if len(set(ids)) != len(ids) or size > shutil.disk_usage(folder).free // 4:
        return None
    tell(Event("note", f"all but what answers rests: what it sees in {len(ids):,} pictures is worked out once"))
    found, table = Features(next(iter(facts.inputs))), _Table(folder, size)
    run = torch_run(_Pooled(learner.network).eval(), learner.choices.device, learner.choices.precision)
    samples = (sample for side in sides for sample in side)
    for done, group in enumerate(_read(task, facts, samples, workers), 1):
        found.add(group, run, table)
        tell(Event("progress", "", {"done": min(done * GROUP, len(ids)), "total": len(ids)}))
    found.rows = table.rows()
    learner.short(Short(learner.network), Short(learner.average))
    shadow = copy.copy(task)
    vars(shadow)["inputs"] = found.inputs
    return shadow


class _Table:
    """Rows that are added one after the other, in memory or in a file without a name."""

    def __init__(self, folder: Path, size: int) -> None:
        self.file = tempfile.TemporaryFile(dir=folder) if size > IN_MEMORY else None  # noqa: SIM115  # open while used
        self.pieces: list[np.ndarray] = []
        self.count = self.width = 0

    def add(self, rows: np.ndarray) -> int:
        """Keep rows; answers the place of the first."""
        first, self.count, self.width = self.count, self.count + len(rows), rows.shape[1]
        if self.file is None:
            self.pieces.append(rows)
        else:
            self.file.write(np.ascontiguousarray(rows, np.float32).data)
        return first

    def rows(self) -> np.ndarray:
        """All of them."""
        if self.file is None or not self.count:
            return np.concatenate(self.pieces) if self.pieces else np.empty((0, 0), np.float32)
        self.file.flush()
        with self.file:  # the map holds on to it
            return np.memmap(self.file, np.float32, "r", shape=(self.count, self.width))


def _width(learner: Learner, facts: Facts) -> int:
    run = torch_run(_Pooled(learner.network).eval(), learner.choices.device)
    return int(run({"image": facts.input.example()})["pooled"].shape[1])


def _read(task: Task, facts: Facts, samples: Iterator[Sample], workers: int) -> Iterator[Read]:
    """Groups of pictures as inputs, read ahead by threads; what cannot be read has its error instead."""

    def read(group: list[Sample]) -> Read:
        try:
            return [(group, *task.inputs(group, facts))]
        except InputError as error:
            return [(group, error, [])] if len(group) == 1 else [one for sample in group for one in read([sample])]

    with ThreadPoolExecutor(max(1, workers), "sightline-features") as pool:
        waiting: deque[Future[Read]] = deque()
        while True:
            while len(waiting) <= 2 * workers and (group := list(itertools.islice(samples, GROUP))):
                waiting.append(pool.submit(read, group))
            if not waiting:
                return
            yield waiting.popleft().result()
