"""Samples to batches: read, augmented and fitted by threads, in an order and with a chance that no thread changes."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sightline.core import catalog
from sightline.core.chance import generator
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Task

Move = Callable[..., Sample]


@dataclass(slots=True)
class Batch:
    """Inputs and targets, a row a frame, and which samples they came from."""

    arrays: Arrays
    rows: list[int]
    bad: dict[str, str] = field(default_factory=dict)  # id -> reason


def moves(task: Task, facts: Facts) -> list[tuple[Move, dict[str, Any]]]:
    """The task's augmentations as functions with their settings."""
    return [(catalog.find("augmentations", name), settings) for name, settings in task.augment(facts)]


@dataclass(slots=True)
class Loader:
    """Makes the batches of an epoch; holds no state between them."""

    task: Task
    facts: Facts
    data: Dataset
    seed: int
    moves: Sequence[tuple[Move, dict[str, Any]]]
    workers: int

    def batches(self, epoch: int, plan: Sequence[Sequence[int]], skipped: set[str]) -> Iterator[Batch]:
        """The planned batches in order, at most two a worker ahead."""
        if self.workers == 0:
            for rows in plan:
                yield self.make(epoch, rows, skipped)
            return
        pool = ThreadPoolExecutor(self.workers, "sightline-loader")
        ahead: deque[Future[Batch]] = deque()
        rest = iter(plan)
        try:
            for rows in rest:
                ahead.append(pool.submit(self.make, epoch, rows, skipped))
                if len(ahead) >= 2 * self.workers:
                    break
            while ahead:
                batch = ahead.popleft().result()
                for rows in rest:
                    ahead.append(pool.submit(self.make, epoch, rows, skipped))
                    break
                yield batch
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def make(self, epoch: int, rows: Sequence[int], skipped: set[str]) -> Batch:
        """One batch without the samples that cannot be read; those are named."""
        good: list[tuple[int, Sample]] = []
        bad: dict[str, str] = {}
        for row in rows:
            identity = f"row {row}"
            try:
                sample = self.data[row]
                identity = sample.id
                if identity not in skipped:
                    good.append((row, self._moved(epoch, row, sample)))
            except InputError as error:
                bad[identity] = error.message
        try:
            arrays = self._arrays([sample for _, sample in good])
        except InputError:
            kept = []
            for row, sample in good:
                try:
                    self._arrays([sample])
                    kept.append((row, sample))
                except InputError as error:
                    bad[sample.id] = error.message
            good = kept
            arrays = self._arrays([sample for _, sample in good])
        return Batch(arrays, [row for row, _ in good], bad)

    def _moved(self, epoch: int, row: int, sample: Sample) -> Sample:
        sample = replace(sample, images=tuple(ArrayImage(image.read(), image.name) for image in sample.images))
        rng = generator(self.seed, "sample", epoch, row)
        for move, settings in self.moves:
            more: dict[str, Any] = {}
            if "others" in inspect.signature(move).parameters:
                more["others"] = lambda count: self._others(rng, count)
            sample = move(sample, rng, **settings, **more)
        return sample

    def _others(self, rng: np.random.Generator, count: int) -> list[Sample]:
        """Samples to mix with, from the same chance."""
        return [self.data[int(row)] for row in rng.integers(len(self.data), size=(count,))]

    def _arrays(self, samples: list[Sample]) -> Arrays:
        if not samples:
            return {}
        inputs, frames = self.task.inputs(samples, self.facts)
        return {**inputs, **self.task.targets(samples, frames, self.facts)}


def plan(task: Task, data: Dataset, facts: Facts, size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of an epoch as rows: a pure function of seed and epoch."""
    return task.order(data, facts, size, generator(seed, "order", epoch))
