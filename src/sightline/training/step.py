"""One step of learning, taken whole or not at all: numbers that are not finite never reach a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from sightline.core.chance import seed_from
from sightline.core.task import Facts, Step, Task
from sightline.training.learner import Called, Learner, to_device


class NotFinite(Exception):
    """A loss, a gradient or a weight is not a number; `clean` says that no weight has moved in this step."""

    def __init__(self, what: str, clean: bool) -> None:
        super().__init__(what)
        self.what, self.clean = what, clean


@dataclass(frozen=True, slots=True)
class Stepper:
    """Takes steps with a learner; holds nothing that a checkpoint would have to keep."""

    task: Task
    facts: Facts
    learner: Learner

    def take(self, batches: Sequence[dict[str, Any]], step: int, rate: float, progress: float) -> dict[str, float]:
        """All turns of one step over these batches; answers the named parts of the loss."""
        learner, settings = self.learner, self.learner.settings
        learner.network.train()
        before = learner.buffers()
        parts: dict[str, float] = {}
        for place, (turn, optimiser) in enumerate(learner.optimisers.items()):
            learner.only(turn)
            torch.manual_seed(seed_from(settings.seed, "step", step, turn))
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = rate * settings.rate
            try:
                self._gradients(batches, turn, progress, parts)
                mine = [p for _, p in learner.players(turn)]
                norm = torch.nn.utils.clip_grad_norm_(mine, settings.clip or float("inf"))
                if not torch.isfinite(norm):
                    raise NotFinite("the gradient", True)
            except NotFinite as found:
                learner.put_back(before)
                optimiser.zero_grad(set_to_none=True)
                raise NotFinite(found.what, place == 0 and learner.healthy()) from None
            optimiser.step()
        learner.follow(step)
        return parts

    def _gradients(
        self, batches: Sequence[dict[str, Any]], turn: str, progress: float, parts: dict[str, float]
    ) -> None:
        for batch in batches:
            lost = self.task.loss(self._step(batch, turn, progress))
            total = sum(lost.values())
            if not torch.isfinite(total):
                raise NotFinite("the loss", True)
            (total / len(batches)).backward()
            for name, value in lost.items():
                parts[name] = parts.get(name, 0.0) + float(value.detach()) / len(batches)

    def _step(self, batch: dict[str, Any], turn: str, progress: float) -> Step:
        choices = self.learner.choices
        return Step(
            Called(self.learner.network, choices),
            Called(self.learner.average, choices),
            to_device(batch, choices.device),
            self.facts,
            turn,
            progress,
        )

    @torch.no_grad()
    def harmless(self, batch: dict[str, Any], progress: float) -> bool:
        """Whether this batch alone gives finite losses, with every running mean left as it is."""
        self.learner.network.eval()
        for turn in self.learner.optimisers:
            torch.manual_seed(0)
            lost = self.task.loss(self._step(batch, turn, progress))
            if not all(bool(torch.isfinite(value).all()) for value in lost.values()):
                return False
        return True
