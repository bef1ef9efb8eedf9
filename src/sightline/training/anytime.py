"""The best model that a time buys: a ladder of ordinary runs, each kept, of which the best so far is the run itself.

First everything is timed for a few steps and planned; the plan is written down before the first step. Each rung is a
run in `rungs/`, and keeps to its part of the time whatever the machine does meanwhile. After each, the one that is best
on the validation side is copied up. `ladder.json` holds the plan, the time and every result.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, RunError, SettingsError
from sightline.core.files import canonical, write_durably
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.settings import fill
from sightline.core.sides import NAME
from sightline.core.task import Task
from sightline.training.pace import Pace, Watch
from sightline.training.plan import Measured, Rung, afforded, hopeless, hurried, plan, told
from sightline.training.recipes import Recipe
from sightline.training.settings import Settings
from sightline.training.single import begun, learn, refuse_others

LADDER, RUNGS = "ladder.json", "rungs"
TRIAL, LONGEST = 0.01, 5.0  # of the time, and seconds at most: steps of one candidate; later ones correct the plan
TRIALS = 0.1  # of the time: after it no larger candidate is tried
LOOKED = 0.2  # of the time: in which a network that rests must have seen every picture for its head to be a rung
COPIED = ("weights.safetensors", "metrics.jsonl", "skipped.json", "settings.toml")


@dataclass(frozen=True)
class Climb:
    """What a ladder is climbed with."""

    top: Run
    task: Task
    wanted: Mapping[str, Any]  # what was asked for, by which the same command is known again
    recipes: Sequence[Recipe]
    given: Mapping[str, Any]  # settings that a user named
    sides: Dataset
    watch: Watch
    asked: Any
    tell: Tell

    @property
    def total(self) -> float:
        """Seconds that were asked for."""
        return float(self.wanted["minutes"]) * 60

    @property
    def trial(self) -> float:
        """Seconds that a candidate is tried for."""
        return min(LONGEST, TRIAL * self.total)

    def go(self) -> Run:
        """From wherever the ladder stands to its end."""
        book = self._opened()
        if book["state"] == "done":
            self.tell(Event("note", f"{self.top.path} is done already"))
            return self.top
        if "rungs" not in book:
            book |= self._planned()
            self._write(book)
        rungs = [Rung(**row) for row in book["rungs"]]
        for place, rung in enumerate(rungs):
            if rung.state == "planned":
                rungs[place] = self._taken(place, rung, any(done.state == "done" for done in rungs))
                book |= {"rungs": [each.to_json() for each in rungs], "best": best(rungs)}
                self._write(book)
                self._promote(book)
        book |= {"state": "done", "seconds": round(self.watch.seconds(), 2)}
        self._write(book)
        self._promote(book)
        kept = rungs[book["best"]]
        self.tell(Event("note", f"the best of {len(rungs)} is {kept.model}{_value(kept.found)}", book))
        return self.top

    # -- the book ----------------------------------------------------------------------------------------------------

    def _opened(self) -> dict[str, Any]:
        path = self.top.path / LADDER
        if not path.is_file():
            if self.top.exists:
                raise RunError(f"{self.top.path} was begun without --minutes. Name another folder with --out.")
            return {"wanted": dict(self.wanted), "state": "running"}
        try:
            book: dict[str, Any] = json.loads(path.read_bytes())
        except ValueError as error:
            raise RunError(f"{path} is damaged: {error}. Start again in another folder.") from error
        refuse_others(self.top, book["wanted"], dict(self.wanted))
        if book["state"] != "done":
            self.tell(
                Event("note", f"continuing {self.top.path}: {self.watch.seconds():.0f} of {self.total:.0f} s spent")
            )
        return book

    def _write(self, book: Mapping[str, Any]) -> None:
        write_durably(self.top.path / LADDER, canonical(book))

    # -- the plan ----------------------------------------------------------------------------------------------------

    def _planned(self) -> dict[str, Any]:
        """Every candidate timed, and what each gets."""
        train, now = self.sides.side("train"), self.watch.seconds()
        if not len(train):
            raise InputError("empty", f"{self.sides.name} holds nothing to learn from.")
        measured: list[Measured] = []
        slow: list[str] = []
        modes: dict[str, Any] = {}
        for recipe in _floors_second(self.recipes):
            networks = [each for each in measured if not each.closed]
            if networks and recipe.floor:
                if hurried(afforded(networks[0], len(train), self.total - now), len(train)):
                    continue
            elif networks and (
                self.watch.seconds() - now > TRIALS * self.total or hopeless(networks[-1], len(train), self.total - now)
            ):
                break
            self.asked.stop()
            candidate, takes = self._tried(recipe, train, modes)
            if recipe.head and candidate.seconds * len(train) > LOOKED * self.total:
                continue  # to see every picture once would take too much
            if self.wanted["within"] is not None and takes > self.wanted["within"]:
                slow.append(f"{recipe.model} {takes:.1f}")
            else:
                measured.append(candidate)
        place = {recipe.name: number for number, recipe in enumerate(self.recipes)}
        measured.sort(key=lambda each: place[each.model])
        if slow:
            text = f"left out, since an answer takes too long (milliseconds): {', '.join(slow)}"
            self.tell(Event("note", text))
        if not measured:
            limit = self.wanted["within"]
            raise SettingsError(f"--within {limit:g}: no network answers in {limit:g} ms here: {', '.join(slow)}.")
        ready, end = self.watch.seconds(), self.total - self._after(measured[-1])
        rungs = plan(measured, len(train), ready, max(end, ready + 0.01 * self.total))
        self.tell(
            Event("note", f"looking at the data took {now:.0f} s and timing {ready - now:.0f} s of {self.total:.0f} s")
        )
        self.tell(Event("note", f"plan: {told(rungs, ready)}"))
        timed = [asdict(each) for each in measured]
        return {"data_seconds": round(now, 2), "timing_seconds": round(ready - now, 2), "timed": timed,
                "slow": slow, "rungs": [rung.to_json() for rung in rungs]}  # fmt: skip

    def _tried(self, recipe: Recipe, train: Dataset, modes: dict[str, Any]) -> tuple[Measured, float]:
        """The speed of one candidate, and how many milliseconds one answer takes where that matters."""
        from sightline.training import choices as choosing
        from sightline.training.loader import tuned
        from sightline.training.trial import latency, speed, stepping

        settings = self._settings(recipe)
        facts = self.task.prepare(train, self._options(recipe), recipe.model)
        facts = tuned(facts, train, settings)
        family = recipe.model.partition(":")[0] if recipe.model.startswith("quick") else recipe.model
        if family not in modes:  # sizes of one network are fastest in the same mode
            trial = stepping(self.task, recipe.model, facts, train, settings)
            what = {
                "task": self.wanted["task"],
                "model": recipe.model,
                "facts": facts.to_json(),
                "batch": settings.batch,
            }
            modes[family] = choosing.choose(settings, trial, what, patience=self.trial)
        mode = modes[family]
        each = speed(self.task, recipe.model, facts, train, settings, mode, self.trial)
        closed = hasattr(self.task.network(recipe.model, facts), "solve")
        takes = 0.0 if self.wanted["within"] is None else latency(self.task, recipe.model, facts)
        return Measured(recipe.name, each, closed or recipe.head), takes

    def _after(self, last: Measured) -> float:
        """Seconds for what comes after the last step: a validation, and writing."""
        return min(0.1 * self.total, 0.5 + 0.5 * last.seconds * len(self.sides.side("val")))

    # -- a rung ------------------------------------------------------------------------------------------------------

    def _recipe(self, name: str) -> Recipe:
        return next(recipe for recipe in self.recipes if recipe.name == name)

    def _run(self, place: int, name: str) -> Run:
        return Run(self.top.path / RUNGS / f"{place + 1}-{re.sub('[^A-Za-z0-9.+_-]+', '-', name).strip('-')}")

    def _settings(self, recipe: Recipe, epochs: float = 1.0) -> Settings:
        often = min(60.0, max(2.0, self.total / 20))
        given = {name: value for name, value in self.given.items() if name not in recipe.without}
        merged = {"checkpoint_seconds": often, **recipe.told(epochs), "epochs": max(1, math.ceil(epochs)), **given}
        return fill(Settings, merged, where="train")

    def _options(self, recipe: Recipe) -> Any:
        return fill(type(self.task).Options, {**recipe.options, **self.wanted["options"]}, where="task")

    def _taken(self, place: int, rung: Rung, others: bool) -> Rung:
        """The rung learnt and measured, or left out where its time is over and something stands already."""
        start = self.watch.seconds()
        run = self._run(place, rung.model)
        if others and start >= rung.until and not run.exists:
            self.tell(Event("note", f"{rung.model} is left out: its time is over"))
            return replace(rung, state="left out")
        recipe, sides = self._recipe(rung.model), self.top.path / NAME
        settings = self._settings(recipe, rung.epochs)
        if sides.is_file() and not (run.path / NAME).is_file():
            write_durably(run.path / NAME, sides.read_bytes())
        options = asdict(self._options(recipe))
        wanted = {"task": self.wanted["task"], "model": recipe.model, "data": self.wanted["data"]}
        info = begun(run, {**wanted, "settings": settings.fixed(), "options": options}, self.sides, silent)
        if info["state"] != "done":
            if not run.exists:
                info["phases"] = [rung.epochs]
            pace = None if rung.closed else Pace(self.watch, rung.until, most=rung.most)
            learn(run, self.task, self.sides, settings, info, self.asked, self.tell, pace)
        found = measured(run, self.sides.side("val"), self.asked)
        self.watch.note()
        self.tell(Event("note", f"rung {place + 1}: {rung.model}{_value(found)}"))
        return replace(rung, state="done", found=found, seconds=round(self.watch.seconds() - start, 2))

    def _promote(self, book: Mapping[str, Any]) -> None:
        """Let the best rung be what the folder holds; its record comes last."""
        place = book.get("best")
        if place is None:
            return
        rung = book["rungs"][place]
        run = self._run(place, rung["model"])
        for name in COPIED:
            if (run.path / name).is_file():
                write_durably(self.top.path / name, (run.path / name).read_bytes())
            else:
                (self.top.path / name).unlink(missing_ok=True)
        own = {"minutes": self.wanted["minutes"], "rung": run.path.name, "state": book["state"]}
        self.top.write({**run.info, **own})


def _floors_second(recipes: Sequence[Recipe]) -> list[Recipe]:
    """The order in which candidates are timed: what the first network gets decides whether there is time for floors."""
    floors, others = [one for one in recipes if one.floor], [one for one in recipes if not one.floor]
    return [*others[:1], *floors, *others[1:]]


def measured(run: Run, val: Dataset, asked: Any) -> dict[str, Any] | None:
    """The metric that a run is kept by, on the validation side, with its interval; None where that is empty."""
    import torch

    from sightline.evaluating.intervals import interval
    from sightline.predicting.answers import answers, judged, torch_run
    from sightline.predicting.model import trained
    from sightline.training.assemble import computing
    from sightline.training.choices import Choices
    from sightline.training.learner import place

    task, facts, network = trained(run)
    mode = Choices(**run.info["choices"])
    passes = torch_run(place(network, mode), mode.device, mode.precision)
    with computing(mode.threads), torch.no_grad():
        given = answers(task, passes, val, facts, batch=64, between=asked.stop)
        pairs = [(truth, answer) for _, truth, answer, _ in judged(task, given, facts)]
    if not pairs:
        return None
    name = (run.info.get("imbalance") or {}).get("kept_by") or task.metrics[0]
    tally = catalog.find("metrics", name)([truth for truth, _ in pairs], [answer for _, answer in pairs])
    return {"name": name, **interval(tally).to_json()}


def best(rungs: Sequence[Rung]) -> int | None:
    """The rung with the best value; a later one takes its place only if it is better."""
    kept: int | None = None
    for place, rung in enumerate(rungs):
        if rung.state == "done" and (kept is None or _beats(rung.found, rungs[kept].found)):
            kept = place
    return kept


def _beats(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    if one is None or one["value"] is None:
        return one is None and other is None  # nothing can be measured: the later one has learnt more
    if other is None or other["value"] is None:
        return True
    return bool(one["value"] < other["value"] if one["better"] == "lower" else one["value"] > other["value"])


def _value(found: Mapping[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return ""
    low, high = (found[end] for end in ("low", "high"))
    reach = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f", {found['name'].replace('_', ' ')} {found['value']:.3f}{reach} on {found['count']:,} to validate"
