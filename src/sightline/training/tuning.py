"""A search for better settings: trials are runs, hopeless ones end early, and a stopped search goes on."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.core.chance import seed_from
from sightline.core.data import open_data
from sightline.core.errors import SettingsError
from sightline.core.extras import need
from sightline.core.files import canonical, digest, locked, write_durably
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.settings import fill
from sightline.core.task import Task
from sightline.training.settings import Settings
from sightline.training.train import infer, settle, train

USUAL = {"train.rate": "0.0003..0.01", "train.decay": "0.001..0.1", "train.batch": "8,16,32,64"}
LOG = 8.0  # from this ratio of its ends a range is drawn by its logarithm
PATIENT = 3  # epochs before a trial may be ended


@dataclass(frozen=True, slots=True)
class Range:
    """What a setting may be: between two numbers, or one of some values."""

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    values: tuple[Any, ...] = ()

    @classmethod
    def parse(cls, name: str, text: str) -> Range:
        """`0.001..0.1` or `8,16,32`."""
        from sightline.core.settings import from_words

        low, dots, high = text.partition("..")
        if not dots:
            values = tuple(from_words([f"x={part}"])["x"] for part in text.split(","))
            if len(set(map(str, values))) < 2:
                raise SettingsError(f"{name}={text}: give a range such as 0.001..0.1, or values such as 8,16,32.")
            return cls(values=values)
        try:
            ends = float(low), float(high)
        except ValueError as error:
            raise SettingsError(f"{name}={text}: '{low}' and '{high}' must be numbers.") from error
        if not ends[0] < ends[1]:
            raise SettingsError(f"{name}={text}: the first number must be the smaller one.")
        return cls(*ends, whole="." not in low + high and "e" not in (low + high).lower())

    def draw(self, trial: Any, name: str) -> Any:
        """A value that the sampler proposes."""
        if self.values:
            return self.values[trial.suggest_categorical(name, list(range(len(self.values))))]
        log = self.low > 0 and self.high / self.low >= LOG
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=log)
        return trial.suggest_float(name, self.low, self.high, log=log)


@dataclass(frozen=True, slots=True)
class Tuned:
    """Every trial, the best first, and its run."""

    path: Path
    metric: str
    trials: tuple[Mapping[str, Any], ...]
    best: Run

    def to_json(self) -> dict[str, Any]:
        trials = [dict(row) for row in self.trials]
        return {"path": str(self.path), "metric": self.metric, "trials": trials, "best": str(self.best.path)}


def tune(
    data: Any,
    task: str | None = None,
    *,
    vary: Mapping[str, str] | None = None,
    trials: int = 20,
    minutes: float | None = None,
    model: str | None = None,
    out: str | Path | None = None,
    format: str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    tell: Tell = silent,
) -> Tuned:
    """Try settings that the Parzen estimator of optuna proposes, judged on the validation side; the test side waits.

    `trials` counts those of earlier calls too: the same call after a stop goes on where it was, with half a trial even.
    """
    optuna = need("optuna")
    if trials < 1:
        raise SettingsError(f"trials = {trials}: must be 1 or more.")
    if minutes is not None and not 0 < minutes < math.inf:
        raise SettingsError(f"--minutes {minutes:g}: must be more than 0.")
    opened = remember(open_data(data, format=format))
    shared = settle(opened, data, task, model, out, format, settings, options, "tune")
    chosen, folder = shared.settings, shared.folder
    wired: Task = catalog.find("tasks", infer(opened, task)).TASK
    ranges = {name: Range.parse(name, text) for name, text in (vary or USUAL).items()}
    _check(ranges, wired)
    end = None if minutes is None else time.monotonic() + 60 * minutes
    asked = _Ask(data, task, shared.model, format, chosen, dict(shared.options), wired.metrics[0], tell)
    with locked(folder):
        study = _study(optuna, folder, ranges, chosen.seed)
        while (done := _finished(optuna, study)) < trials and (end is None or time.monotonic() < end):
            trial = study.ask()
            given = {name: span.draw(trial, name) for name, span in ranges.items()}
            place = folder / f"trial-{digest(canonical(given))[:10]}"
            trial.set_user_attr("run", place.name)
            shown = ", ".join(f"{name}={_short(value)}" for name, value in given.items())
            tell(Event("note", f"trial {done + 1} of {trials}: {shown}"))
            try:
                study.tell(trial, asked.learn(given, place, _Judge(optuna, trial, wired.metrics[0])))
            except optuna.TrialPruned:
                tell(Event("note", "ended early: others were better at this point"))
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return _gathered(optuna, study, folder, wired.metrics[0], ranges)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Listens to the epochs of a trial and ends it where others were better at this point."""

    optuna: Any
    trial: Any
    metric: str

    def hear(self, event: Event) -> None:
        """After each epoch: report, and perhaps end."""
        value = event.facts.get("val", {}).get(self.metric) if event.kind == "epoch" else None
        if value is None:
            return
        self.trial.report(-value if event.facts["lower"] else value, int(event.facts["epoch"]))
        if event.facts["epoch"] >= PATIENT and self.trial.should_prune():
            raise self.optuna.TrialPruned


@dataclass(frozen=True, slots=True)
class _Ask:
    """What all trials have in common."""

    data: Any
    task: str | None
    model: str | None
    format: str | None
    settings: Settings
    options: dict[str, Any]
    metric: str
    tell: Tell

    def learn(self, given: Mapping[str, Any], place: Path, judge: _Judge) -> float:
        """One trial as a run; the better, the larger."""
        sections: dict[str, dict[str, Any]] = {"train": {}, "task": {}, "": {}}
        for name, value in given.items():
            section, _, last = name.rpartition(".")
            sections[section][last] = value

        def hear(event: Event) -> None:
            self.tell(event)
            judge.hear(event)

        run = train(
            self.data,
            self.task,
            model=sections[""].get("model", self.model),
            out=place,
            format=self.format,
            settings={**asdict(self.settings), **sections["train"]},
            options={**self.options, **sections["task"]},
            look=False,
            tell=hear,
        )
        best = run.info["best"]
        return -math.inf if best is None else -float(best) if run.info["lower"] else float(best)


def _check(ranges: Mapping[str, Range], task: Task) -> None:
    """Refuse a name that is no setting before the first trial."""
    for name, span in ranges.items():
        section, _, last = name.rpartition(".")
        low = span.values[0] if span.values else int(span.low) if span.whole else span.low
        if section == "train":
            fill(Settings, {last: low}, where="train")
        elif section == "task":
            fill(task.Options, {last: low}, where="task")
        elif name == "model":
            for one in span.values:
                catalog.find("models", str(one))
        else:
            raise SettingsError(f"'{name}' cannot be varied; vary train.NAME, task.NAME or model.")


def _study(optuna: Any, folder: Path, ranges: Mapping[str, Range], seed: int) -> Any:
    """The trials so far; one that a kill cut off is asked again, and its run goes on."""
    optuna.logging.set_verbosity(logging.WARNING)
    wanted = {name: asdict(span) for name, span in ranges.items()}
    kept = folder / "ranges.json"
    if kept.is_file() and kept.read_bytes() != canonical(wanted):
        raise SettingsError(f"{folder} was begun with other ranges. Use the same ones, or another --out.")
    write_durably(kept, canonical(wanted))
    backend = optuna.storages.journal.JournalFileBackend(
        str(folder / "trials.log"), lock_obj=optuna.storages.journal.JournalFileOpenLock(str(folder / "trials.log"))
    )
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=PATIENT, reduction_factor=3),
        study_name="tune",
        direction="maximize",
        load_if_exists=True,
    )
    states = optuna.trial.TrialState
    for trial in study.get_trials(states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)
        study.enqueue_trial(trial.params)
    begun = len(study.get_trials(deepcopy=False))  # a search that goes on must not draw again what it drew first
    study.sampler = optuna.samplers.TPESampler(seed=seed_from(seed, "tune", begun) % 2**32, n_startup_trials=5)
    return study


def _finished(optuna: Any, study: Any) -> int:
    states = optuna.trial.TrialState
    return len(study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED)))


def _gathered(optuna: Any, study: Any, folder: Path, metric: str, ranges: Mapping[str, Range]) -> Tuned:
    states = optuna.trial.TrialState
    trials = study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED))
    complete = [trial for trial in trials if trial.state == states.COMPLETE]
    if not complete:
        raise SettingsError("no trial was finished; give more minutes or fewer epochs.")
    order = sorted(complete, key=lambda trial: (-trial.value, trial.number))
    rows = [_row(trial, ranges, folder) for trial in [*order, *(one for one in trials if one.state == states.PRUNED)]]
    made = Tuned(folder, metric, tuple(rows), Run(folder / order[0].user_attrs["run"]))
    write_durably(folder / "tune.json", canonical(made.to_json()))
    return made


def _row(trial: Any, ranges: Mapping[str, Range], folder: Path) -> dict[str, Any]:
    given = {
        name: span.values[trial.params[name]] if span.values else trial.params[name] for name, span in ranges.items()
    }
    run = Run(folder / trial.user_attrs["run"])
    value = run.info.get("best") if run.exists and trial.value is not None else None
    state = "ended early" if trial.value is None else "done"
    return {"settings": given, "value": value, "epochs": len(run.history), "run": str(run.path), "state": state}


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
