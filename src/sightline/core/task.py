"""What a stage may ask of a task: one torch-free file in tasks/ that defines TASK."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError
from sightline.core.inputs import Frame, InputSpec, fit_all
from sightline.core.sample import Sample

Arrays = dict[str, np.ndarray]
Run = Callable[[Arrays], Arrays]  # one pass of a named graph, in torch or in the runtime


@dataclass(frozen=True, slots=True)
class Fit:
    """How data suits a task or a format (0 cannot, 1 only when named, 2 natural reading) and why, in one line."""

    strength: int
    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decode and serving need: plain JSON, fixed at step 0; arrays belong in network buffers."""

    inputs: Mapping[str, InputSpec]  # one an image, in the order of Sample.images
    names: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # the task's own Options
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input(self) -> InputSpec:
        """The first input."""
        return next(iter(self.inputs.values()))

    def to_json(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["inputs"] = [{"name": name, **asdict(spec)} for name, spec in self.inputs.items()]
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Facts:
        inputs = {}
        for given in plain["inputs"]:
            values: dict[str, Any] = {
                str(key): tuple(value) if isinstance(value, list) else value for key, value in given.items()
            }
            name = values.pop("name")
            values.setdefault("resample", "area")  # facts from before there was a choice
            inputs[name] = InputSpec(**values)
        return cls(inputs, tuple(plain["names"]), dict(plain["options"]), dict(plain["extra"]))


@dataclass(frozen=True, slots=True)
class Graph:
    """One exported graph: its module, example inputs, and which axes of each input may vary."""

    module: Any
    inputs: Arrays
    dynamic: Mapping[str, tuple[int, ...]]


@dataclass(slots=True)
class Step:
    """All a loss may look at; `network(**inputs)` runs in mixed precision and answers named float32 tensors."""

    network: Any  # .part(name, *inputs) reaches a sub-network that is not exported
    average: Any  # the moving average, always in eval mode: the teacher of teachers
    batch: dict[str, Any]
    facts: Facts
    turn: str  # the player that learns now; gradients reach its parameters only
    progress: float  # 0..1 of the run


class Task(ABC):
    """The wiring of one kind of problem; holds no state; stages call only these."""

    kind: ClassVar[type[Annotation]]  # the record it answers with
    truth: ClassVar[type[Annotation] | None] = None  # the record on the label; None: the kind itself
    metrics: ClassVar[tuple[str, ...]]  # each gives a Tally; training keeps the best of the first
    even: ClassVar[str] = ""  # the metric to keep the best of where some names are rare; none: the first
    taught: ClassVar[Mapping[str, str]] = {}  # output -> loss by which a teacher's is learnt; none: `likeness`
    model: ClassVar[str]  # default name in models/
    turns: ClassVar[tuple[str, ...]] = ("",)  # prefixes of the parameters of each optimiser, in order
    several: ClassVar[bool] = False  # its Labels hold any number of names, each with a score of its own
    Options: ClassVar[type]  # frozen dataclass of the task's own settings

    @abstractmethod
    def fits(self, data: Dataset) -> Fit:
        """How well this data suits, and why."""

    @abstractmethod
    def prepare(self, data: Dataset, options: Any, model: str) -> Facts:
        """What is learnt from the training side alone."""

    @abstractmethod
    def network(self, model: str, facts: Facts) -> Any:
        """Module whose forward(**inputs) -> dict is what is exported."""

    @abstractmethod
    def targets(self, samples: Sequence[Sample], frames: Sequence[Frame], facts: Facts) -> Arrays:
        """What the loss needs besides the inputs, a row a frame."""

    @abstractmethod
    def loss(self, step: Step) -> dict[str, Any]:
        """Named, already weighted parts; chance from torch's generator only."""

    @abstractmethod
    def decode(self, outputs: Arrays, frames: Sequence[Frame], facts: Facts) -> list[Annotation]:
        """Every answer above a low floor, scored; one a sample."""

    def augment(self, facts: Facts) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Default augmentations of training, (name, settings) each."""
        return ()

    def pose(self, sample: Sample, facts: Facts, rng: np.random.Generator | None = None) -> Sample:
        """The sample as this task asks about it: with `rng` while it learns, else always the same.

        Where the question can be made from the answer, such as a damaged picture from a clean one, it is made here.
        """
        return sample

    def order(self, data: Dataset, facts: Facts, size: int, rng: np.random.Generator) -> list[list[int]]:
        """Batches of one epoch, as indexes: a pure function of rng."""
        rows = rng.permutation(len(data)).tolist()
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def inputs(self, samples: Sequence[Sample], facts: Facts) -> tuple[Arrays, list[Frame]]:
        """The only pre-processing."""
        return fit_all(samples, facts.inputs)

    def predict(
        self, run: Run, samples: Sequence[Sample], facts: Facts, rng: Callable[[Sample], np.random.Generator]
    ) -> list[Annotation]:
        """Samples to annotations through any run; samplers override it and draw chance from rng(sample) only."""
        arrays, frames = self.inputs(samples, facts)
        return self.decode(run(arrays), frames, facts)

    def reference(self, sample: Sample, facts: Facts) -> Annotation | None:
        """What an answer for this sample is measured against."""
        return sample.truth

    def graphs(self, network: Any, facts: Facts) -> dict[str, Graph]:
        """What is exported; {} where there is no graph."""
        specs = facts.inputs.items()
        return {"model": Graph(network, {k: s.example() for k, s in specs}, {k: s.moving() for k, s in specs})}


def posed(task: Task, data: Dataset, facts: Facts) -> Dataset:
    """Data as the task asks about it when it is measured; the data itself where the task leaves it as it is."""
    if type(task).pose is Task.pose:
        return data
    kind = task.truth or task.kind
    return data.map(lambda sample: task.pose(sample, facts), f"posed {sorted(facts.options.items())}", kind=kind)


def name_rows(samples: Sequence[Sample], frames: Sequence[Frame], names: Sequence[str]) -> np.ndarray:
    """The index of each frame's best name, where truth is `Labels`."""
    place = {name: index for index, name in enumerate(names)}
    rows = []
    for frame in frames:
        sample = samples[frame.sample]
        best = getattr(sample.truth, "best", None)
        if best not in place:
            raise InputError("label", f"{sample.id}: its label {best!r} is none of {', '.join(names)}.")
        rows.append(place[best])
    return np.array(rows, np.int64)


def name_marks(samples: Sequence[Sample], frames: Sequence[Frame], names: Sequence[str]) -> np.ndarray:
    """A row of marks a frame, where truth is `Labels`: 1 holds, 0 does not, NaN is unknown, between is doubtful."""
    place = {name: index for index, name in enumerate(names)}
    marks = np.zeros((len(frames), len(names)), np.float32)
    for row, frame in enumerate(frames):
        truth: Any = samples[frame.sample].truth
        given = getattr(truth, "names", None)
        strange = next((name for name in given or () if name not in place), None)
        if given is None or strange is not None:
            what = "it has no label" if given is None else f"its label {strange!r} is none of {', '.join(names)}"
            raise InputError("label", f"{samples[frame.sample].id}: {what}.")
        scores = np.ones(len(given)) if truth.scores is None else np.clip(truth.scores, 0, 1)
        marks[row, [place[name] for name in given]] = scores
    return marks


def name_shares(samples: Sequence[Sample], frames: Sequence[Frame], names: Sequence[str]) -> np.ndarray:
    """A row of shares a frame, summing to one, where truth is `Labels` with scores: mixed or doubtful."""
    sure = name_rows(samples, frames, names)  # refuses what has no name
    shares = np.zeros((len(frames), len(names)), np.float32)
    for row, frame in enumerate(frames):
        truth: Any = samples[frame.sample].truth
        scores = np.array([truth.score(name) for name in names]) if truth.scores is not None else np.zeros(len(names))
        total = float(scores.sum())
        shares[row] = scores / total if total > 0 else np.eye(len(names))[sure[row]]
    return shares
