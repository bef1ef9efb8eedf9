"""One step of learning, taken whole or not at all: numbers that are not finite never reach a weight."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sightline.core.chance import seed_from
from sightline.core.task import Facts, Step, Task
from sightline.training.learner import Called, Learner, to_device
from sightline.training.team import ALONE, Team


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
    team: Team = ALONE
    whole: int = 0  # rows of the batches that go through a translated network; 0: any

    def take(
        self,
        batches: Sequence[dict[str, Any]],
        step: int,
        rate: float,
        progress: float,
        shares: Sequence[float] | None = None,
    ) -> dict[str, float]:
        """All turns of one step over these batches; answers the named parts of the loss.

        `shares` weigh the batches, over all processes they sum to one; without them every batch counts the same.
        """
        learner, settings = self.learner, self.learner.settings
        shares = [1 / len(batches)] * len(batches) if shares is None else shares
        learner.keep_buffers()
        parts: dict[str, float] = {}
        for place, (turn, optimiser) in enumerate(learner.optimisers.items()):
            learner.only(turn)
            others = (self.team.rank,) if self.team.rank else ()
            self._seed(seed_from(settings.seed, "step", step, turn, *others))
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = rate * learner.rate * group["share"]
            try:
                mine = learner.learning[turn]
                for name, value in self._gradients(batches, shares, turn, progress, mine).items():
                    parts[name] = parts.get(name, 0.0) + value
                _clip([p.grad for p in mine if p.grad is not None], settings.clip)
            except NotFinite as found:
                learner.put_back()
                optimiser.zero_grad(set_to_none=True)
                raise NotFinite(found.what, place == 0 and learner.healthy()) from None
            optimiser.step()
            learner.shrink(turn)
        if self.team.size > 1:
            self.team.level([*learner.network.buffers()])
        learner.follow(step)
        return parts

    def _seed(self, seed: int) -> None:
        """Torch's chance, of the device that is used: to seed the others takes longer than a small step."""
        if self.learner.choices.device == "cpu":
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def _gradients(
        self,
        batches: Sequence[dict[str, Any]],
        shares: Sequence[float],
        turn: str,
        progress: float,
        players: Sequence[torch.nn.Parameter],
    ) -> dict[str, float]:
        """The gradient of the whole team, and the parts of its loss; one loss that is not finite stops all."""
        mine: dict[str, float] = {}
        finite = True
        for batch, share in zip(batches, shares, strict=True):
            rows = len(next(iter(batch.values())))
            self.learner.teach(rows)
            with self._as_translated(rows):
                lost = self._lost(batch, turn, progress)
            total = sum(lost.values())
            finite = bool(torch.isfinite(total))
            if not finite:
                break
            (total * share).backward()
            for name, value in lost.items():
                mine[name] = mine.get(name, 0.0) + float(value.detach()) * share
        said = self.team.gather([finite, mine])
        if not all(fine for fine, _ in said):
            raise NotFinite("the loss", True)
        self.team.add_gradients(players)
        parts: dict[str, float] = {}
        for name, value in itertools.chain.from_iterable(theirs.items() for _, theirs in said):
            parts[name] = parts.get(name, 0.0) + value
        return parts

    def _as_translated(self, rows: int) -> contextlib.AbstractContextManager[Any]:
        """Batches that are not whole as the network stands: each size would be translated anew, for a step or two."""
        if not self.learner.choices.compiled or rows == (self.whole or rows):
            return contextlib.nullcontext()
        eager: contextlib.AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
        return eager

    def _lost(self, batch: dict[str, Any], turn: str, progress: float) -> dict[str, Any]:
        """The parts of the task's loss, and that of the teacher where there is one."""
        step, teacher = self._step(batch, turn, progress), self.learner.teacher
        if teacher is None:
            return self.task.loss(step)
        step.network.calls = []
        lost = self.task.loss(step)
        blended: dict[str, Any] = teacher.blended(lost, step.network.calls)
        return blended

    def _step(self, batch: dict[str, Any], turn: str, progress: float) -> Step:
        choices = self.learner.choices
        return Step(
            Called(self.learner.called, choices),
            Called(self.learner.called_average, choices),
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
            with self._as_translated(1):
                lost = self.task.loss(self._step(batch, turn, progress))
            if not all(bool(torch.isfinite(value).all()) for value in lost.values()):
                return False
        return True


def _clip(gradients: list[Tensor], longest: float) -> None:
    """Cut the gradient to its largest norm (0: any); one that is not finite is refused before it reaches a weight."""
    if not gradients:
        return
    norm = float(torch.stack(torch._foreach_norm(gradients)).norm())
    if not math.isfinite(norm):
        raise NotFinite("the gradient", True)
    if longest and norm > longest:
        torch._foreach_mul_(gradients, longest / (norm + 1e-6))
