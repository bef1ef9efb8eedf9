"""Samples to batches: read, augmented and fitted by threads, in an order and with a chance that no thread changes.

A worker makes a few pictures at a time, and whoever makes the last of a batch puts it together, so that every thread
works on the batch that is needed next. What waits ahead, and what is held on the way, is bounded in bytes.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from sightline.core.chance import Chances, generator
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage, Image
from sightline.core.inputs import Frame, moments, normalised
from sightline.core.recipe import apply, parse
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Task
from sightline.core.threads import one_thread
from sightline.core.views import View
from sightline.training.buffers import Buffers, Rows
from sightline.training.settings import Settings

Mover = Callable[..., Sample]  # (sample, rng, *, others, turn) -> sample
CHUNK = 8  # pictures a worker makes at a time
LARGER = 2**20  # bytes of inputs up to which it makes more at a time
AHEAD = 512 * 2**20  # bytes of batches that are made or being made


@dataclass(slots=True)
class Batch:
    """Inputs and targets, a row a frame, and which samples they came from."""

    arrays: Arrays
    rows: list[int]
    bad: dict[str, str] = field(default_factory=dict)  # id -> reason


@dataclass(slots=True)
class Part:
    """Some pictures of a batch, fitted; targets follow when the batch is whole."""

    first: int = 0  # of the batch's rows that are these pictures', one each
    filled: int = 0
    loose: list[Arrays] = field(default_factory=list)  # inputs that do not take one row each
    frames: list[Frame] = field(default_factory=list)  # of samples as counted in this part
    samples: list[Sample] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spent:
    """Stands where a moved picture was: its pixels are in the inputs, and holding them twice would fill the memory."""

    name: str

    def read(self, at_least: tuple[int, int] | None = None) -> np.ndarray:
        raise RuntimeError(f"{self.name}: targets are made from truth; the moved pixels are in the inputs.")

    def encoded(self) -> bytes:
        raise RuntimeError(f"{self.name}: its pixels are no longer held.")

    def fingerprint(self) -> str:
        raise RuntimeError(f"{self.name}: its pixels are no longer held.")


def mover(task: Task, facts: Facts, settings: Settings) -> Mover | None:
    """The augmentations of a run: those that its settings name, or else the task's own."""
    moves = parse(task.augment(facts) if settings.augmentations is None else settings.augmentations)
    return partial(apply, moves) if settings.augment and moves else None


def tuned(facts: Facts, data: Dataset, settings: Settings) -> Facts:
    """The facts with inputs resampled and scaled as the settings say; `data` is the training side."""
    specs = {name: replace(spec, resample=settings.resample) for name, spec in facts.inputs.items()}
    if settings.scale == "fitted":
        specs = {name: moments(data, spec, place) for place, (name, spec) in enumerate(specs.items())}
    return replace(facts, inputs=specs)


@dataclass(slots=True)
class Loader:
    """Makes the batches of an epoch; holds no state between them but buffers that are free again."""

    task: Task
    facts: Facts
    data: Dataset
    seed: int
    mover: Mover | None
    workers: int
    ahead: int = AHEAD
    floats: bool = False  # inputs as float32 around zero, for networks that do not scale pixels themselves
    buffers: Buffers = field(default_factory=Buffers)
    first: np.ndarray = field(init=False)  # the turn at which each sample begins

    def __post_init__(self) -> None:
        count = len(self.data) if self.mover else 0
        self.first = generator(self.seed, "turn").integers(8, size=count, dtype=np.uint8)

    def batches(self, epoch: int, plan: Sequence[Sequence[int]], skipped: set[str]) -> Iterator[Batch]:
        """The planned batches in order; two a worker, and no more than `ahead` bytes, wait or are being made."""
        if self.workers == 0:
            for rows in plan:
                yield self.make(epoch, rows, skipped)
            return
        with one_thread():
            pool = ThreadPoolExecutor(self.workers, "sightline-loader")
            waiting: deque[Future[Batch]] = deque()
            largest = 0
            rest: Iterator[Sequence[int] | None] = iter(plan)
            try:
                while True:
                    most = 2 * self.workers if largest else 2
                    while len(waiting) < max(1, min(most, self.ahead // max(1, largest) - 1)):
                        upcoming = next(rest, None)
                        if upcoming is None:
                            break
                        waiting.append(self._submit(pool, epoch, upcoming, skipped))
                    if not waiting:
                        return
                    batch = waiting.popleft().result()
                    largest = max(largest, sum(array.nbytes for array in batch.arrays.values()))
                    yield batch
                    del batch
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def make(self, epoch: int, rows: Sequence[int], skipped: set[str]) -> Batch:
        """One batch without the samples that cannot be read; those are named."""
        space = self._space(len(rows))
        return self._joined([self._part(epoch, rows, skipped, space, 0)], space)

    def _submit(self, pool: ThreadPoolExecutor, epoch: int, rows: Sequence[int], skipped: set[str]) -> Future[Batch]:
        """A batch in the making: the worker that ends its last chunk puts it together."""
        done: Future[Batch] = Future()
        starts = range(0, max(1, len(rows)), self._chunk(len(rows)))
        space = self._space(len(rows))
        parts: dict[int, Part] = {}
        lock = threading.Lock()

        def work(start: int) -> None:
            try:
                part = self._part(epoch, rows[start : start + starts.step], skipped, space, start)
                with lock:
                    parts[start] = part
                    last = len(parts) == len(starts)
                if last:
                    done.set_result(self._joined([parts[start] for start in starts], space))
            except BaseException as error:  # noqa: BLE001  # whatever it is, the consumer gets it
                with contextlib.suppress(InvalidStateError):  # another chunk was faster
                    done.set_exception(error)

        for start in starts:
            pool.submit(work, start)
        return done

    def _space(self, count: int) -> Rows | None:
        """Room for the inputs of so many pictures; none where it is not known how many rows they take."""
        if any(spec.fit == "tile" for spec in self.facts.inputs.values()):
            return None
        return Rows(self.buffers, self.facts.inputs, count, floats=self.floats)

    def _chunk(self, count: int) -> int:
        """How many pictures a worker makes at a time: more of small ones, but an even share of the batch at most."""
        size = sum(math.prod(spec.size) * spec.channels for spec in self.facts.inputs.values())
        return max(CHUNK, min(LARGER // max(1, size), -(-count // max(1, self.workers))))

    # -- one part -------------------------------------------------------------------------------------------------

    def _part(self, epoch: int, rows: Sequence[int], skipped: set[str], space: Rows | None, first: int) -> Part:
        part, chances = Part(first), Chances(self.seed, "sample", epoch)
        for row in rows:
            identity = f"row {row}"
            try:
                sample = self.data[row % len(self.data)]
                identity = sample.id
                if identity not in skipped:
                    moved = self._moved(sample, epoch, row, chances)
                    self._add(part, row, moved, *self.task.inputs([moved], self.facts), space)
            except InputError as error:
                part.bad[identity] = error.message
        return part

    def _moved(self, sample: Sample, epoch: int, row: int, chances: Chances) -> Sample:
        rng = chances.of(row)
        if self.mover is not None:
            again, place = divmod(row, len(self.data))  # a sample that is drawn twice in an epoch has two rows
            turn = int(self.first[place]) + epoch + again
            sample = _showing(sample, tuple([_lazy(image) for image in sample.images]))
            sample = self.mover(sample, rng, others=lambda count: self._others(rng, count), turn=turn)
        return self.task.pose(sample, self.facts, rng)

    def _others(self, rng: np.random.Generator, count: int) -> list[Sample]:
        """Samples to mix with, from the same chance."""
        return [self.data[int(row)] for row in rng.integers(len(self.data), size=(count,))]

    def _add(
        self, part: Part, row: int, sample: Sample, inputs: Arrays, frames: list[Frame], space: Rows | None
    ) -> None:
        """Keep what was made of a sample: in its row of the batch, or loose until the batch is put together."""
        if space is not None and not part.loose and space.put(part.first + part.filled, inputs):
            part.filled += 1
        else:
            if space is not None and part.filled:
                part.loose, part.filled = [space.part(part.first, part.filled)], 0
            part.loose.append(self._scaled(inputs))
        place = len(part.samples)
        part.frames += [_shifted(frame, place) for frame in frames]
        part.rows.append(row)
        part.samples.append(_spent(sample))

    def _scaled(self, inputs: Arrays) -> Arrays:
        """Inputs as they are, or as floats where those are asked for."""
        specs = self.facts.inputs if self.floats else {}
        return {name: normalised(array, specs[name]) if name in specs else array for name, array in inputs.items()}

    # -- one batch ------------------------------------------------------------------------------------------------

    def _joined(self, parts: Sequence[Part], space: Rows | None) -> Batch:
        frames: list[Frame] = []
        samples: list[Sample] = []
        for part in parts:
            frames += [_shifted(frame, len(samples)) for frame in part.frames]
            samples += part.samples
        rows = [row for part in parts for row in part.rows]
        bad = {name: why for part in parts for name, why in part.bad.items()}
        if not samples:
            return Batch({}, [], bad)
        inputs = self._whole(parts, space)
        try:
            return Batch({**inputs, **self.task.targets(samples, frames, self.facts)}, rows, bad)
        except InputError:
            return self._without_culprits(inputs, frames, samples, rows, bad)

    def _whole(self, parts: Sequence[Part], space: Rows | None) -> Arrays:
        """The inputs of the batch from those of its parts."""
        if space is not None and not any(part.loose for part in parts):
            return space.packed((part.first, part.filled) for part in parts)
        pieces: list[Arrays] = []
        for part in parts:
            pieces += [space.part(part.first, part.filled)] if space is not None and part.filled else part.loose
        return {name: self.buffers.joined([piece[name] for piece in pieces]) for name in pieces[0]}

    def _without_culprits(
        self, inputs: Arrays, frames: list[Frame], samples: list[Sample], rows: list[int], bad: dict[str, str]
    ) -> Batch:
        """The batch without the samples whose targets cannot be made."""
        kept: list[int] = []
        for place, sample in enumerate(samples):
            mine = [replace(frame, sample=0) for frame in frames if frame.sample == place]
            try:
                self.task.targets([sample], mine, self.facts)
                kept.append(place)
            except InputError as error:
                bad[sample.id] = error.message
        if not kept:
            return Batch({}, [], bad)
        mask = np.isin([frame.sample for frame in frames], kept)
        moved = {place: index for index, place in enumerate(kept)}
        good = [replace(frame, sample=moved[frame.sample]) for frame in frames if frame.sample in moved]
        arrays = {name: array[mask] for name, array in inputs.items()}
        targets = self.task.targets([samples[place] for place in kept], good, self.facts)
        return Batch({**arrays, **targets}, [rows[place] for place in kept], bad)


def _lazy(image: Image) -> Image:
    """A view that waits; a volume is read."""
    view = View.of(image)
    return view if len(view.source.size) == 2 else ArrayImage(image.read(), image.name)


def _spent(sample: Sample) -> Sample:
    """The sample without the pixels that a move made."""
    if not any(map(_held, sample.images)):
        return sample
    return _showing(sample, tuple(Spent(image.name) if _held(image) else image for image in sample.images))


def _showing(sample: Sample, images: tuple[Image, ...]) -> Sample:
    """The sample with other pictures; `dataclasses.replace` takes four times as long, for every picture."""
    return Sample(sample.id, images, sample.truth, sample.given, sample.group, sample.split, sample.attributes)


def _held(image: Image) -> int:
    return image.pixels.nbytes if isinstance(image, ArrayImage) else image.source.held if isinstance(image, View) else 0


def _shifted(frame: Frame, by: int) -> Frame:
    if by == 0:
        return frame
    return Frame(frame.sample + by, frame.original, frame.size, frame.scale, frame.offset)
