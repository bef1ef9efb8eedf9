"""The loop: epochs of steps, a validation after each, and a memory that any of it can be continued from."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.core.annotations import Annotation
from sightline.core.dataset import Dataset
from sightline.core.errors import DivergedError, SettingsError
from sightline.core.files import canonical, write_durably
from sightline.core.progress import Event, Tell
from sightline.core.run import Run
from sightline.core.task import Facts, Task
from sightline.predicting.answers import answers, judged, torch_run
from sightline.training import checkpoint
from sightline.training.features import parted, remembered
from sightline.training.guard import Asked, Interrupted, refuse_many, told
from sightline.training.keeping import keeping
from sightline.training.learner import Learner, to_device
from sightline.training.loader import Batch, Loader, mover
from sightline.training.pace import Pace
from sightline.training.rate import factor
from sightline.training.sampling import Draw, draw_from, plan
from sightline.training.settings import Settings
from sightline.training.state import State, canonical_line, level
from sightline.training.step import NotFinite, Stepper
from sightline.training.team import ALONE, Team
from sightline.training.warm import warm


@dataclass(slots=True)
class Loop:
    """One run in this process: what it was given, where it stands, and what it learns with."""

    run: Run
    task: Task
    facts: Facts
    train: Dataset
    val: Dataset
    settings: Settings
    phases: Sequence[float]
    learner: Learner
    asked: Asked
    tell: Tell
    team: Team = ALONE
    state: State = field(default_factory=State)
    pace: Pace | None = None  # where there is a time to keep to
    fresh: bool = False  # what answers begins anew, on a network that has learnt before
    keep: str = ""  # the metric by which the best epoch is kept; none: the first
    seen: Task | None = None  # the task as its inputs are read: from pictures, or from features
    draw: Draw | None = None  # what an epoch shows; None: every row once
    best: dict[str, Any] = field(default_factory=dict)  # the weights to keep
    saved: float = field(default_factory=time.monotonic)

    def go(self) -> None:
        """From wherever the run stands to its end."""
        if self.team.size > 1 and hasattr(self.learner.network, "solve"):
            raise SettingsError("train.processes: what learns in closed form learns in one process.")
        drawn = partial(draw_from, self.train, self.settings.sampling, self.tell, self.run.path)
        self.draw = self.team.in_turn(drawn)
        sides, epochs = (self.train, self.val), math.ceil(sum(self.phases)) - self.state.epochs
        with keeping(self.settings.cache, sides, epochs=epochs, tell=self.tell) as (self.train, self.val):
            self._go()

    def _go(self) -> None:
        if self.team.first and not self.recall():
            warm(self)
            self.remember()
        self.team.gather(None)  # the others read what the first one wrote
        if not self.team.first:
            self.recall()
        self.seen = self._resting() or self.task
        while self.state.phase < len(self.phases):
            try:
                self._epoch()
            except NotFinite as found:
                self._restore(found)
            except Interrupted:
                self.remember()
                raise

    def _resting(self) -> Task | None:
        """The task over features that are worked out once, where nothing but the layer that answers learns."""
        learner, sides = self.learner, (self.train, self.val)
        if self.team.size > 1 or learner.teacher is not None or not parted(learner, self.facts):
            return None
        if mover(self.task, self.facts, self.settings) is not None:
            self.tell(
                Event("note", "--set train.augment=false lets what rests see each picture once: seconds an epoch")
            )
            return None
        return remembered(self.task, self.facts, learner, sides, self.run.path, self.settings.workers, self.tell)

    # -- memory ---------------------------------------------------------------------------------------------------

    @property
    def memory(self) -> Path:
        return self.run.path / "checkpoints"

    def remember(self) -> None:
        """Write a checkpoint, unless the weights are not finite."""
        if not self.learner.healthy():
            raise NotFinite("a weight", False)
        if not self.team.first:
            return
        if not self.state.resting:
            self.state.resting = checkpoint.put_away(self.run.path / checkpoint.FROZEN, self.learner.resting())
        best = {f"best.{name}": value for name, value in self.learner.moving(self.best).items()}
        tensors = {**self.learner.tensors(), **best}
        number = max((int(path.stem) for path in self.memory.glob("*.json")), default=-1) + 1
        checkpoint.save(self.memory, number, tensors, self.state.to_json())
        self.saved = time.monotonic()
        self.tell(Event("checkpoint", "", {"step": self.state.step}))

    def recall(self) -> bool:
        """Continue from the newest whole checkpoint, if there is one."""
        found = checkpoint.load(self.memory)
        if found is None:
            return False
        tensors, record = found
        self.state = State(**record)
        resting = checkpoint.take_out(self.run.path / checkpoint.FROZEN, self.state.resting)
        self.learner.restore(tensors, resting)
        best = {n.removeprefix("best."): value for n, value in tensors.items() if n.startswith("best.")}
        self.best = {**resting, **best} if best else {}
        return True

    def _restore(self, found: NotFinite) -> None:
        """Go back to the last good state once; a second time at the same place is a divergence."""
        step, again = self.state.step, self.state.restored
        if step <= again:
            raise DivergedError(
                f"{found.what} is not finite at step {step}, also after the last good state was restored, and no "
                f"single picture is to blame. Try a lower rate: --set train.rate={self.learner.rate / 3:.2g}."
            )
        skipped = dict(self.state.skipped)
        if not self.recall():
            raise DivergedError(f"{found.what} is not finite at step {step} and there is no state to go back to.")
        self.state.skipped |= skipped
        self.state.restored = step
        self.tell(Event("warn", f"{found.what} was not finite at step {step}; back to step {self.state.step}"))

    # -- epochs ---------------------------------------------------------------------------------------------------

    def _epoch(self) -> None:
        state, start, number = self.state, time.monotonic(), self.state.epochs
        size, seed = self.settings.batch, self.settings.seed
        order = plan(self.task, self.train, self.facts, size, seed, number, self.draw, number / self.phases[0])
        if hasattr(self.learner.network, "solve"):
            self._solve(order[: self.state.end(self.phases, len(order))])
        else:
            self._steps(order, number)
        row = self._measured(number)
        state.history.append(row)
        total = math.ceil(sum(self.phases[: state.phase]) + state.length(self.phases))
        state.phase, state.epoch = self._next(row)
        state.place, state.seen, state.sums = 0, 0, {}
        self._publish()
        self.remember()
        facts = {**row, "epochs": total, "seconds": time.monotonic() - start, "lower": state.lower}
        self.tell(Event("epoch", f"epoch {row['epoch']}/{total}", facts))

    def _steps(self, order: Sequence[Sequence[int]], number: int) -> None:
        state, together = self.state, self.settings.accumulate
        move = mover(self.task, self.facts, self.settings)
        seen = self.seen or self.task
        loader = Loader(seen, self.facts, self.train, self.settings.seed, move, self.settings.workers)
        loader.ahead = int(self.settings.ahead * 1e6)
        stepper = Stepper(self.task, self.facts, self.learner, self.team, len(self.team.share(order[0])))
        mine = [self.team.share(rows) for rows in order[state.place :]]
        stream = loader.batches(number, mine, set(state.skipped))
        try:
            while state.place < state.end(self.phases, len(order)):
                group = list(itertools.islice(stream, together))
                self._agree(group, len(order))
                progress = state.progress(self.phases, len(order))
                self._take(stepper, loader, group, number, self._rate(len(order)), progress)
                state.place += len(group)
                state.step += 1
                self.tell(Event("progress", "", {"done": state.place, "total": len(order), "epoch": number + 1}))
        finally:
            stream.close()  # type: ignore[attr-defined]

    def _take(
        self, stepper: Stepper, loader: Loader, group: list[Batch], number: int, rate: float, progress: float
    ) -> None:
        """One step; samples that alone make it not finite are named, skipped, and the step is taken without them."""
        counts = [sum(theirs) for theirs in zip(*self.team.gather([len(batch.rows) for batch in group]), strict=True)]
        filled = sum(count > 0 for count in counts)
        if not filled:
            return
        whole = [batch.arrays for batch in group if batch.rows]
        shares = [len(b.rows) / count / filled for b, count in zip(group, counts, strict=True) if b.rows]
        try:
            parts = stepper.take(whole, self.state.step, rate, progress, shares)
        except NotFinite as found:
            culprits = self._culprits(stepper, loader, group, number, progress) if found.clean else {}
            if not culprits:
                raise
            self._skip(culprits)
            rows = [
                [row for row in batch.rows if self.train[row % len(self.train)].id not in culprits] for batch in group
            ]
            again = [loader.make(number, mine, set(self.state.skipped)) for mine in rows]
            self._take(stepper, loader, again, number, rate, progress)
            return
        for name, value in parts.items():
            self.state.sums[name] = self.state.sums.get(name, 0.0) + value
        self.state.seen += 1

    def _culprits(
        self, stepper: Stepper, loader: Loader, group: Sequence[Batch], number: int, progress: float
    ) -> dict[str, str]:
        guilty = {}
        for row in itertools.chain.from_iterable(batch.rows for batch in group):
            alone = loader.make(number, [row], set())
            if alone.rows and not stepper.harmless(alone.arrays, progress):
                guilty[self.train[row % len(self.train)].id] = "its loss is not finite"
        return {name: why for theirs in self.team.gather(guilty) for name, why in theirs.items()}

    def _agree(self, group: Sequence[Batch], size: int) -> None:
        """Before a step: whether to stop, how long to go on, what to write down, and which samples nobody can use."""
        late = time.monotonic() - self.saved > self.settings.checkpoint_seconds and self.state.place > 0
        bad = {name: why for batch in group for name, why in batch.bad.items()}
        length = was = self.state.length(self.phases)
        if self.pace is not None and self.team.first:
            length = self.pace.length(self.state.epoch, self.state.place, size, was)
        said = self.team.gather([self.asked.number, late, bad, length])
        self.asked.number = max(number for number, *_ in said)
        if said[0][3] != was:
            self.state.paced.append([self.state.step, self.state.phase, said[0][3]])
        self.asked.stop()
        if said[0][1]:
            self.remember()
        self._note_bad({name: why for _, _, theirs, _ in said for name, why in theirs.items()})

    def _note_bad(self, bad: Mapping[str, str]) -> None:
        if new := {name: why for name, why in bad.items() if name not in self.state.skipped}:
            self._skip(new)

    def _skip(self, bad: dict[str, str]) -> None:
        """List and go on; too many and the list is the message."""
        self.state.skipped |= bad
        for name, why in bad.items():
            self.tell(Event("skip", f"skipped {told(name, why)}", {"id": name, "why": why}))
        refuse_many(self.state.skipped, len(self.train), self.settings.bad_share)

    def _rate(self, length: int) -> float:
        """The factor of the learning rate at this step."""
        state, settings = self.state, self.settings
        sign = -1 if state.lower else 1
        scores = [sign * score for row in state.history if (score := self._score(row)) is not None]
        return factor(settings, state.length(self.phases), state.epoch + state.place / length, length, scores)

    # -- validation -----------------------------------------------------------------------------------------------

    def _solve(self, order: Sequence[Sequence[int]]) -> None:
        """Fit in one pass what learns in closed form; the pictures are seen as they are."""
        loader = Loader(self.task, self.facts, self.train, self.settings.seed, None, self.settings.workers)

        def batches() -> Iterator[dict[str, Any]]:
            for batch in loader.batches(0, order, set(self.state.skipped)):
                self.asked.stop()
                self._note_bad(batch.bad)
                if batch.rows:
                    yield to_device(batch.arrays, self.learner.choices.device)

        self.learner.network.solve(batches())  # type: ignore[operator]
        self.learner.average.load_state_dict(self.learner.network.state_dict())
        self.state.step += 1

    def _measured(self, number: int) -> dict[str, Any]:
        """The epoch's row; keeps the weights where they are the best so far."""
        state = self.state
        parts = {name: total / max(1, state.seen) for name, total in state.sums.items()}
        row: dict[str, Any] = {"epoch": number + 1, "phase": state.phase, "step": state.step}
        lost = sum(parts.values()) if parts else None  # what is solved at once takes no step
        row |= {"skipped": len(state.skipped), "loss": lost, "parts": parts, "val": self._agreed()}
        row["rate"] = 0.0 if not parts else self._rate(max(1, state.place)) * self.learner.rate
        score, best = self._score(row), state.best
        if score is None and lost is not None and not len(self.val):
            score = -lost if not self.state.lower else lost
        first = best is None or (score is not None and (score < best if state.lower else score > best))
        if score is not None and not (state.lower or self.settings.patience or state.more(self.phases)):
            first = first or level(score, best, len(self.val))
        row["best"] = bool(first)
        state.waited += 1
        if first:
            state.best, state.best_epoch, state.waited = score, number + 1, 0
            self.best = {name: value.detach().clone() for name, value in self.learner.average.state_dict().items()}
        return row

    def _agreed(self) -> dict[str, float | None]:
        """The figures of the validation; the first process measures and the others believe it."""
        mine = self._validated() if self.team.first else {}
        found, skipped, self.state.lower = self.team.from_first([mine, self.state.skipped, self.state.lower])
        self.state.skipped = dict(skipped)
        return dict(found)

    def _validated(self) -> dict[str, float | None]:
        run = torch_run(self.learner.called_average, self.learner.choices.device, self.learner.choices.precision)
        truths: list[Annotation] = []
        given: list[Annotation] = []
        failed: dict[str, str] = {}
        asked = answers(
            self.seen or self.task, run, self.val, self.facts, seed=self.settings.seed, between=self.asked.stop
        )
        for _, truth, answer, _ in judged(self.task, asked, self.facts, failed):
            truths.append(truth)
            given.append(answer)
        for name in [name for name in failed if name not in self.state.skipped]:
            self.state.skipped[name] = failed[name]
            self.tell(Event("skip", f"skipped {told(name, failed[name])}", {"id": name}))
        if not truths:
            return {}
        tallies = {name: catalog.find("metrics", name)(truths, given) for name in self.task.metrics}
        self.state.lower = tallies[self.keep or self.task.metrics[0]].better == "lower"
        return {name: tally.value if math.isfinite(tally.value) else None for name, tally in tallies.items()}

    def _score(self, row: dict[str, Any]) -> float | None:
        value = row["val"].get(self.keep or self.task.metrics[0])
        return None if value is None else float(value)

    def _next(self, row: dict[str, Any]) -> tuple[int, int]:
        """Phase and epoch after this one; early stopping ends the phase."""
        state, settings = self.state, self.settings
        if hasattr(self.learner.network, "solve"):
            return len(self.phases), 0
        if settings.patience and state.waited >= settings.patience:
            text = f"stopped early: nothing better in {state.waited} epochs; keeping epoch {state.best_epoch}"
            self.tell(Event("note", text))
            state.waited = 0
            return state.phase + 1, 0
        return state.onward(self.phases)

    def _publish(self) -> None:
        if not self.team.first:
            return
        write_durably(self.run.path / "metrics.jsonl", b"".join(map(canonical_line, self.state.history)))
        if self.state.skipped:
            write_durably(self.run.path / "skipped.json", canonical(self.state.skipped))
