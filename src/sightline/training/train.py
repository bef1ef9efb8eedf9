"""From data to weights: recognise, prepare once, learn, and leave a run that can be continued or extended."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sightline.auditing.audit import audit
from sightline.core import catalog
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, RunError, SettingsError
from sightline.core.extras import need
from sightline.core.files import canonical, digest, locked, refuse_folder, sweep, write_durably
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.settings import fill
from sightline.core.sides import NAME, recall, write_sides
from sightline.core.splitting import split
from sightline.core.task import Task
from sightline.training import recipes
from sightline.training.guard import asking
from sightline.training.pace import Watch
from sightline.training.settings import FREE, Settings
from sightline.training.single import begun, learn

FEW, GLANCE = 50, 400  # pictures that say how long looking at all would take
PATIENCE = 0.25  # of the time: looking at the data may take so much
VALIDATED = 2_000  # samples that are enough to tell one network from another; never less than a twentieth
SPENT = "spent.json"


def train(
    data: Any,
    task: str | None = None,
    *,
    model: str | None = None,
    out: str | Path | None = None,
    format: str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    minutes: float | None = None,
    within: float | None = None,
    extend: int = 0,
    look: bool = True,
    tell: Tell = silent,
) -> Run:
    """Train on data until the run is done; the same call continues a run that was stopped or killed.

    A new run begins with the quick audit (`look`); what it finds is said, kept beside the run and shown in the report.
    With `minutes` it ends after that time, from this call to the weights, with the best model that the time buys.
    `within` leaves out networks that take longer than so many milliseconds to answer; it needs `minutes`.
    """
    started = time.monotonic()
    known = Run(Path(out)) if out else None
    known = known if known is not None and known.exists else None
    given = _named(settings or {})
    chosen = fill(Settings, given, where="train")
    _there(schedules=chosen.schedule, tasks=task)
    _check(minutes, within, extend)
    samples = remember(open_data(data, format=format))
    name = infer(samples, task, tell)
    need("torch")  # it takes a second or two: what a look at the words and the data refuses is refused before
    _there(optimisers=chosen.optimiser, models=None if known else model)  # a run's own may be gone when it goes on
    wired: Task = catalog.find("tasks", name).TASK
    if model is None and given.get("start") and known:
        model = known.info["model"]
    recipe = recipes.plain(samples, wired, model, given) if minutes is None else recipes.Recipe(model or wired.model)
    chosen = fill(Settings, {**recipe.settings, **given}, where="train").settled()
    wanted: dict[str, Any] = {
        "task": name,
        "model": recipe.model,
        "data": {"where": _where(data), "format": format, "name": samples.name, "fingerprint": samples.fingerprint},
        "settings": chosen.fixed(),
        "options": asdict(fill(wired.Options, {**recipe.options, **(options or {})}, where="task")),
    }
    if minutes is not None:
        ours = {"minutes": minutes, "within": within, "model": model, "options": dict(options or {})}
        wanted |= {**ours, "settings": {key: value for key, value in given.items() if key not in FREE}}
    run = Run(Path(out) if out else Path("runs") / _name(samples, wanted))
    with locked(run.path), asking() as asked:
        sweep(run.path)
        watch = Watch(run.path / SPENT, started, every=max(0.2, min(2.0, (minutes or 1) * 0.6)))
        if minutes is not None:
            watch.note()
        copies = _looked(run, samples, look, minutes, tell)
        sides = _sides(run, samples, chosen, copies, tell)
        if minutes is not None:
            from sightline.training.anytime import Climb

            rungs = recipes.ladder(samples, wired, model, given)
            return Climb(run, wired, wanted, rungs, given, sides, watch, asked, tell).go()
        info = begun(run, wanted, sides, tell)
        if extend:
            _extend(run, info, extend)
        elif info["state"] == "done":
            tell(Event("note", f"{run.path} is done already; --extend N adds epochs"))
            return run
        learn(run, wired, sides, chosen, info, asked, tell)
    return run


def _there(**parts: str | None) -> None:
    """One line for a name that a family does not have."""
    for family, part in parts.items():
        if part is not None:
            catalog.find(family, part)


def _named(settings: Settings | Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for by name."""
    return settings.named() if isinstance(settings, Settings) else dict(settings)


def _check(minutes: float | None, within: float | None, extend: int) -> None:
    if minutes is not None and not 0 < minutes < math.inf:
        raise SettingsError(f"--minutes {minutes:g}: must be more than 0.")
    if minutes is not None and extend:
        raise SettingsError("--minutes and --extend: a run of a given time is not extended; give it more minutes anew.")
    if within is not None and minutes is None:
        raise SettingsError("--within: the network is chosen by its speed where --minutes says how long to try.")
    if within is not None and not within > 0:
        raise SettingsError(f"--within {within:g}: must be more than 0 milliseconds.")


def _looked(run: Run, samples: Dataset, look: bool, minutes: float | None, tell: Tell) -> bool:
    """The quick audit, once, where there is time for it; answers whether there is time to look for copies."""
    if run.exists or (run.path / NAME).is_file():
        return True
    if minutes is not None:
        seconds = _glanced(samples) * len(samples)
        if seconds > PATIENCE * minutes * 60:
            text = f"looking at all {len(samples):,} pictures would take {seconds:.0f} of {minutes * 60:.0f} s, so"
            tell(Event("warn", f"{text} neither faults nor copies on two sides were looked for"))
            return False
    if look:
        write_durably(run.path / "audit.json", canonical(audit(samples, quick=True, tell=tell).to_json()))
    return True


def _glanced(samples: Dataset) -> float:
    """Seconds that the quick audit takes for one picture more; what it takes in any case is not counted."""
    taken = []
    for count in (FEW, FEW, GLANCE):  # the first brings in libraries
        some = samples.take(range(0, len(samples), max(1, len(samples) // count))[:count])
        start = time.monotonic()
        audit(some, quick=True)
        taken.append((time.monotonic() - start, len(some)))
    (few, least), (many, most) = taken[1:]
    return max(0.0, many - few) / max(1, most - least)


def _sides(run: Run, samples: Dataset, chosen: Settings, copies: bool, tell: Tell) -> Dataset:
    """Who learns and who is held out: as it was written down when the run began, else parted and written down now."""
    begun_before = run.exists or (run.path / SPENT).is_file()
    written = recall(samples, run.path) if begun_before else None
    if written is not None:
        return written
    apart = len(set(samples.column("id"))) == len(samples)  # who is where can be written down
    val = max(0.05, min(0.15, VALIDATED / max(1, len(samples)))) if apart else 0.15
    by = chosen.split_by or None
    parted = split(samples, val=val, seed=chosen.seed, by=by, copies=copies or not apart, tell=tell)
    if not run.exists and apart:
        write_sides(parted, run.path / NAME)
    return parted


def infer(data: Dataset, task: str | None, tell: Tell = silent) -> str:
    """The task named, if the data suits it, or the one task that is the natural reading."""
    fits = {name: catalog.find("tasks", name).TASK.fits(data) for name in catalog.names("tasks")}
    if task is not None:
        catalog.find("tasks", task)
        if not fits[task].strength:
            able = [name for name, fit in fits.items() if fit.strength]
            raise AmbiguousError(
                f"{data.name} does not suit {task}: it {fits[task].why}. It suits {', '.join(able) or 'none'}."
                + _unread(data)
            )
        tell(Event("note", f"task: {task} ({fits[task].why})"))
        return task
    natural = [name for name, fit in fits.items() if fit.strength == 2]
    if len(natural) == 1:
        tell(Event("note", f"task: {natural[0]} ({fits[natural[0]].why})"))
        return natural[0]
    if natural:
        reasons = "; ".join(f"{name}: {fits[name].why}" for name in natural)
        raise AmbiguousError(f"{data.name} can be read as {len(natural)} tasks ({reasons}). Choose one with --task.")
    possible = {name: fit for name, fit in fits.items() if fit.strength}  # the others are told where nothing is
    reasons = "; ".join(f"{name}: {fit.why}" for name, fit in (possible or fits).items())
    raise AmbiguousError(
        f"no task is the natural reading of {data.name} ({reasons}). Choose one with --task.{_unread(data)}"
    )


def _unread(data: Dataset) -> str:
    """What is said of pictures without a label, such as a column that no header of a label stands above."""
    told = sorted({word for sample in data[:20] for word in sample.attributes}) if data.kind is None else []
    return f" To learn {' or '.join(told[:5])}, call it class (names), value (numbers) or text." if told else ""


@dataclass(frozen=True)
class Plan:
    """What all runs of a study have in common, found once on all of its data."""

    settings: Settings
    model: str
    options: Mapping[str, Any]
    folder: Path


def settle(
    samples: Dataset,
    data: Any,
    task: str | None,
    model: str | None,
    out: str | Path | None,
    format: str | None,
    settings: Settings | Mapping[str, Any] | None,
    options: Mapping[str, Any] | None,
    what: str,
) -> Plan:
    """How the runs of a study learn, however much data each is given, and where: a folder found again next time."""
    name = infer(samples, task)
    wired: Task = catalog.find("tasks", name).TASK
    given = _named(settings or {})
    recipe = recipes.plain(samples, wired, model, given)
    chosen = fill(Settings, {**recipe.settings, **given}, where="train")
    told = {**recipe.options, **(options or {})}
    wanted = {
        "task": name,
        "model": recipe.model,
        "data": {"where": _where(data), "format": format, "fingerprint": samples.fingerprint},
        "settings": chosen.settled().fixed(),
        "options": asdict(fill(wired.Options, told, where="task")),
    }
    folder = Path(out) if out else Path("runs") / f"{_name(samples, wanted)}-{what}"
    refuse_folder(folder)
    return Plan(chosen, recipe.model, told, folder)


def _where(data: Any) -> str | None:
    return str(data) if isinstance(data, str | Path) else None  # what is in memory cannot be named


def _name(samples: Dataset, wanted: Mapping[str, Any]) -> str:
    """A name that the same command finds again and another command does not take."""
    plain = re.sub(r"[^a-z0-9]+", "-", samples.name.lower()).strip("-")[:40] or "data"
    return f"{plain}-{wanted['task']}-{digest(canonical(wanted))[:8]}"


def _extend(run: Run, info: dict[str, Any], more: int) -> None:
    """Add a phase with a warm-up and a schedule of its own; the phases before stay as they were."""
    if more < 1:
        raise SettingsError(f"--extend {more}: must be 1 or more epochs.")
    if info["state"] == "done":
        info["phases"] = [*info["phases"], more]
        info["state"] = "running"
        run.write(info)
    elif info["phases"][1:] and info["phases"][-1] == more:
        return  # the same command continues the extension that it began
    else:
        raise RunError(f"{run.path} is not done yet, so it cannot be extended. Let it finish first, without --extend.")
