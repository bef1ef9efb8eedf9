"""Learning from another network as well: it sees what the learner sees, and what it answers is a second truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.core.task import Facts, Task
from sightline.training.choices import Choices
from sightline.training.settings import Settings
from sightline.training.start import weights_of

Call = tuple[Mapping[str, Tensor], Mapping[str, Tensor]]  # what a network was given, and what it answered


@dataclass(frozen=True, slots=True)
class Teacher:
    """A network that is done learning, and how much each of its outputs counts."""

    network: Any  # answers named tensors, in the precision of the run
    losses: Mapping[str, str]  # output -> loss in losses/; `likeness` for those not named
    share: float
    temperature: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    def blended(self, lost: Mapping[str, Tensor], calls: Sequence[Call]) -> dict[str, Tensor]:
        """The parts of the loss, made smaller, and beside them how far the answers are from the teacher's."""
        parts = {name: value * (1 - self.share) for name, value in lost.items()}
        apart = [part for call in calls for part in self._apart(*call)]
        if apart:
            parts["teacher"] = self.share * torch.stack(apart).sum() / len(calls)
        return parts

    def _apart(self, inputs: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[Tensor]:
        with torch.no_grad():
            taught = self.network(**inputs)
        found = []
        for name, answer in given.items():
            if name in taught and answer.is_floating_point():
                loss = self.losses.get(name, "likeness")
                more = {"temperature": self.temperature} if loss == "distillation" else {}
                found.append(catalog.find("losses", loss)(answer, taught[name].float(), **more))
        return found


def teacher(task: Task, facts: Facts, settings: Settings, choices: Choices) -> Teacher | None:
    """The teacher that the settings name; it must have learnt the same task on the same kind of input."""
    if not settings.teacher:
        return None
    from sightline.predicting.model import torch_network
    from sightline.training.learner import Called, place

    found, theirs, name, model = weights_of(settings.teacher, "train.teacher")
    told = f"train.teacher = '{settings.teacher}'"
    if catalog.find("tasks", name).TASK.__class__ is not task.__class__:
        raise SettingsError(f"{told}: it learnt another task, {name}.")
    if theirs.names != facts.names:
        raise SettingsError(f"{told}: it knows {', '.join(theirs.names)}, but here is {', '.join(facts.names)}.")
    for mine, its in zip(facts.inputs.values(), theirs.inputs.values(), strict=True):
        if (mine.size, mine.channels, mine.dtype) != (its.size, its.channels, its.dtype):
            size = "x".join(map(str, its.size))
            raise SettingsError(f"{told}: it looks at pictures of {size}, {its.channels} channels, {its.dtype}.")
    network = place(torch_network(task, model, theirs, found), choices)
    network.requires_grad_(False)
    return Teacher(Called(network.eval(), choices), task.taught, settings.teacher_share, settings.temperature)
