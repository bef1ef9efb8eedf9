"""Who is asked, and the pictures as it sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.annotations import Annotation
from sightline.core.errors import InputError, SettingsError
from sightline.core.inputs import Frame
from sightline.core.sample import Sample
from sightline.core.task import Arrays, Facts, Run, Task
from sightline.explaining.asking import Question, ask

if TYPE_CHECKING:
    from torch import Tensor

TOP = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
BATCH = 64  # rows of one pass


@dataclass(frozen=True, eq=False)
class Subject:
    """A model as explanations need it: its passes, and its network where it is known in torch."""

    task: Task
    facts: Facts
    passes: Run
    network: Any = None

    def look(self, samples: Sequence[Sample], name: str | None = None, other: Annotation | None = None) -> View:
        """These samples as inputs, their answers, and the question for each."""
        if len(self.facts.input.size) != 2:
            raise SettingsError("explanations are of flat pictures; this model takes volumes.")
        if self.facts.input.features:
            raise SettingsError("explanations are of pixels; this model is given features of the picture.")
        arrays, frames = self.task.inputs(samples, self.facts)
        answers = self.task.decode(self.passes(arrays), frames, self.facts)
        questions = tuple(ask(self.task.kind, self.facts, answer, name, other) for answer in answers)
        return View(self, tuple(samples), arrays, tuple(frames), tuple(answers), questions)

    def randomised(self, seed: int = 0) -> Subject:
        """The same network with the numbers of every weight in another order, so that it has learnt nothing."""
        from sightline.predicting.answers import torch_run

        shuffled = shuffle(self.network, seed)
        return replace(self, network=shuffled, passes=torch_run(shuffled))


@dataclass(frozen=True, eq=False)
class View:
    """Samples as the network sees them: a row a frame, an answer and a question a sample."""

    subject: Subject
    samples: tuple[Sample, ...]
    arrays: Arrays
    frames: tuple[Frame, ...]
    answers: tuple[Annotation, ...]
    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of an input."""
        rows, columns = self.subject.facts.input.size
        return rows, columns

    @cached_property
    def first(self) -> str:
        """The input that maps are of; others stay as they are."""
        return next(iter(self.subject.facts.inputs))

    @cached_property
    def plain(self) -> np.ndarray:
        """What the network takes for nothing: the middle of what it was taught, for each channel."""
        spec = self.subject.facts.input
        level = np.broadcast_to(np.array(spec.mean, np.float64), (spec.channels,)) * TOP[spec.dtype]
        return level.astype(np.float32)

    def question(self, row: int) -> Question:
        """What is asked of a row."""
        return self.questions[self.frames[row].sample]

    def numbers(self, pictures: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        """What these variants of rows answer to the questions of those rows; any network, even one in a runtime."""
        subject, spec = self.subject, self.subject.facts.input
        told = np.empty(len(rows))
        for start in range(0, len(rows), BATCH):
            part = list(rows[start : start + BATCH])
            arrays = {name: array[part] for name, array in self.arrays.items()}
            arrays[self.first] = np.ascontiguousarray(pictures[start : start + BATCH].astype(spec.dtype))
            frames = [replace(self.frames[row], sample=place) for place, row in enumerate(part)]
            given = subject.task.decode(subject.passes(arrays), frames, subject.facts)
            for place, (row, answer) in enumerate(zip(part, given, strict=True)):
                told[start + place] = self.question(row).read(answer)
        return told

    def tensors(self, pictures: np.ndarray | None = None) -> dict[str, Tensor]:
        """Inputs in torch, of which the first leads gradients back to pixels."""
        import torch

        given = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in self.arrays.items()}
        shown = self.arrays[self.first] if pictures is None else pictures
        given[self.first] = torch.from_numpy(shown.astype(np.float32)).requires_grad_()
        return given

    def total(self, outputs: Any) -> Tensor:
        """The sum of what all rows are asked, before decoding."""
        import torch

        parts = []
        for row, frame in enumerate(self.frames):
            traced = self.question(row).traced
            if traced is None:
                kind = self.subject.task.kind.__name__
                raise SettingsError(f"gradients do not reach {kind}; ask with the method 'occlusion'.")
            parts.append(traced(outputs, row, frame))
        return torch.stack(parts).sum()

    def slopes(self, pictures: np.ndarray | None = None) -> tuple[np.ndarray, float]:
        """How the sum of all questions changes with every pixel of these pictures, and that sum."""
        import torch

        given = self.tensors(pictures)
        with torch.enable_grad():
            asked = self.total(self.subject.network(**given))
            found = torch.autograd.grad(asked, given[self.first], allow_unused=True)[0]
        if found is None:
            raise SettingsError("the network gives no gradient to its pixels; ask with the method 'occlusion'.")
        return found.numpy(), float(asked.detach())


def shuffle(network: Any, seed: int = 0) -> Any:
    """A copy in which every stored number of a layer has another place: equal statistics, nothing learnt.

    After Adebayo et al. (2018), who begin anew; shuffled, each layer keeps its scale, whatever it began from.
    """
    import torch

    copy = _copied(network)
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in copy.state_dict().values():
            if value.numel() > 1 and value.is_floating_point():
                order = torch.randperm(value.numel(), generator=chance)
                value.copy_(value.flatten()[order].view_as(value))
    return copy.eval()


def _copied(network: Any) -> Any:
    import copy

    return copy.deepcopy(network)


def readable(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many of the samples, spread evenly, that can be read."""
    kept: list[Sample] = []
    for place in np.unique(np.linspace(0, len(samples) - 1, min(most, len(samples))).round().astype(int)):
        try:
            samples[int(place)].pixels()
        except InputError:
            continue
        kept.append(samples[int(place)])
    return kept
