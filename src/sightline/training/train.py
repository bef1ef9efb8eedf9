"""From data to weights: recognise, prepare once, learn, and leave a run that can be continued or extended."""

from __future__ import annotations

import contextlib
import datetime
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sightline.auditing.audit import audit
from sightline.core import catalog
from sightline.core.chance import generator
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError, RunError, SettingsError
from sightline.core.extras import need
from sightline.core.files import canonical, digest, locked, sweep, write_durably
from sightline.core.known import remember
from sightline.core.progress import Event, Tell, silent
from sightline.core.run import Run
from sightline.core.settings import differences, fill
from sightline.core.sides import NAME, recall, write_sides
from sightline.core.splitting import split
from sightline.core.task import Facts, Task
from sightline.training.guard import asking
from sightline.training.settings import Settings


def train(
    data: Any,
    task: str | None = None,
    *,
    model: str | None = None,
    out: str | Path | None = None,
    format: str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    extend: int = 0,
    look: bool = True,
    tell: Tell = silent,
) -> Run:
    """Train on data until the run is done; the same call continues a run that was stopped or killed.

    A new run begins with the quick audit (`look`); what it finds is said, kept beside the run and shown in the report.
    """
    need("torch")
    chosen = settings if isinstance(settings, Settings) else fill(Settings, settings or {}, where="train")
    for family, part in (
        ("optimisers", chosen.optimiser),
        ("schedules", chosen.schedule),
        ("tasks", task),
        ("models", model),
    ):
        if part is not None:
            catalog.find(family, part)
    chosen = chosen.settled()
    samples = remember(open_data(data, format=format))
    name = infer(samples, task, tell)
    wired: Task = catalog.find("tasks", name).TASK
    wanted = {
        "task": name,
        "model": model or wired.model,
        "data": {"where": _where(data), "format": format, "name": samples.name, "fingerprint": samples.fingerprint},
        "settings": chosen.fixed(),
        "options": asdict(fill(wired.Options, options or {}, where="task")),
    }
    run = Run(Path(out) if out else Path("runs") / _name(samples, wanted))
    with locked(run.path), asking() as asked:
        sweep(run.path)
        if look and not run.exists:
            write_durably(run.path / "audit.json", canonical(audit(samples, quick=True, tell=tell).to_json()))
        sides = _sides(run, samples, chosen, tell)
        info = _begun(run, wanted, sides, tell)
        if extend:
            _extend(run, info, extend)
        elif info["state"] == "done":
            tell(Event("note", f"{run.path} is done already; --extend N adds epochs"))
            return run
        _learn(run, wired, sides, chosen, info, asked, tell)
    return run


def _sides(run: Run, samples: Dataset, chosen: Settings, tell: Tell) -> Dataset:
    """Who learns and who is held out: as it was written down when the run began, else parted and written down now."""
    written = recall(samples, run.path) if run.exists else None
    if written is not None:
        return written
    parted = split(samples, seed=chosen.seed, by=chosen.split_by or None, tell=tell)
    if not run.exists and len(set(parted.column("id"))) == len(parted):
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
            )
        return task
    natural = [name for name, fit in fits.items() if fit.strength == 2]
    if len(natural) == 1:
        tell(Event("note", f"task: {natural[0]} ({fits[natural[0]].why})"))
        return natural[0]
    if natural:
        reasons = "; ".join(f"{name}: {fits[name].why}" for name in natural)
        raise AmbiguousError(f"{data.name} can be read as {len(natural)} tasks ({reasons}). Choose one with --task.")
    reasons = "; ".join(f"{name}: {fit.why}" for name, fit in fits.items())
    raise AmbiguousError(f"no task is the natural reading of {data.name} ({reasons}). Choose one with --task.")


def _where(data: Any) -> str | None:
    return str(data) if isinstance(data, str | Path) else None  # what is in memory cannot be named


def _name(samples: Dataset, wanted: Mapping[str, Any]) -> str:
    """A name that the same command finds again and another command does not take."""
    plain = re.sub(r"[^a-z0-9]+", "-", samples.name.lower()).strip("-")[:40] or "data"
    return f"{plain}-{wanted['task']}-{digest(canonical(wanted))[:8]}"


def _begun(run: Run, wanted: dict[str, Any], sides: Dataset, tell: Tell) -> dict[str, Any]:
    """The record of the run: new, or the one it was begun with, never another."""
    if run.exists:
        info = run.info
        changed = [
            f"{part}.{line}" if isinstance(wanted[part], dict) else line
            for part in wanted
            for line in _changed(part, info[part], wanted[part])
        ]
        if changed:
            raise RunError(
                f"{run.path} was begun with other settings ({'; '.join(changed)}). "
                "Use the same ones to continue it, or another --out to start anew."
            )
        if info["state"] != "done":
            tell(Event("note", f"continuing {run.path}"))
        return info
    if (run.path / "metrics.jsonl").exists() or any(run.path.glob("checkpoints/*")):
        raise RunError(f"{run.path} holds parts of a run but no run.json. Name another folder with --out.")
    from sightline.training.assemble import parting

    counts = {side: len(sides.side(side)) for side in ("train", "val", "test")}
    info = {
        **wanted,
        "counts": counts,
        "split": parting(sides),
        "phases": [wanted["settings"]["epochs"]],
        "state": "running",
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
    }
    tell(
        Event("note", f"{counts['train']} to learn from, {counts['val']} to validate, {counts['test']} to test", counts)
    )
    return info


def _changed(part: str, old: Any, new: Any) -> list[str]:
    if isinstance(new, dict):
        plain = {k: v for k, v in old.items() if k not in ("where", "name")}
        return differences(plain, {k: v for k, v in new.items() if k not in ("where", "name")})
    return differences({part: old}, {part: new})


def _versions() -> dict[str, str]:
    import numpy

    import sightline

    torch = need("torch")
    return {
        "sightline": sightline.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


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


def _learn(
    run: Run, task: Task, sides: Dataset, settings: Settings, info: dict[str, Any], asked: Any, tell: Tell
) -> None:
    from safetensors.torch import save as pack

    from sightline.training import assemble as assembling
    from sightline.training import choices as choosing
    from sightline.training.layers import count_parameters
    from sightline.training.loader import tuned
    from sightline.training.team import led

    train_side = sides.side("train")
    if settings.processes > 1 and info["data"]["where"] is None:
        raise RunError("train.processes: the other processes cannot see data in memory. Give the place of the data.")
    if not len(train_side):
        raise InputError("empty", f"{sides.name} holds nothing to learn from.")
    if "facts" not in info:
        facts = task.prepare(train_side, fill(type(task).Options, info["options"]), info["model"])
        facts = tuned(facts, train_side, settings)
        info["facts"] = facts.to_json()
    facts = Facts.from_json(info["facts"])
    with assembling.repeatable():
        if "choices" not in info:
            trial = _trial(task, info["model"], facts, train_side, settings)
            what = {"task": info["task"], "model": info["model"], "facts": info["facts"], "batch": settings.batch}
            info["choices"] = asdict(choosing.choose(settings, trial, what))
            run.write(info)
        fixed = choosing.Choices(**info["choices"])
        with assembling.computing(fixed.threads), led(run.path, settings.processes, fixed.device) as team:
            loop = assembling.assemble(run, task, sides, settings, info, asked, tell=tell, team=team)
            info["parameters"] = count_parameters([loop.learner.network])
            tell(
                Event(
                    "start",
                    f"{info['task']} with {info['model']}, {info['parameters']:,} parameters",
                    {**info, "run": str(run.path)},
                )
            )
            loop.go()
        write_durably(run.weights, pack({name: value.cpu().contiguous() for name, value in loop.best.items()}))
        info |= {"state": "done", "best_epoch": loop.state.best_epoch, "skipped": len(loop.state.skipped)}
        run.write(info)
    tell(Event("done", f"done: best epoch {loop.state.best_epoch}", {"run": str(run.path)}))


def _trial(
    task: Task, model: str, facts: Facts, data: Dataset, settings: Settings
) -> Callable[[Any], Callable[[], None]]:
    """Real steps on a throw-away copy, for the choice of precision and layout."""
    from sightline.training.learner import Learner, build
    from sightline.training.loader import Loader
    from sightline.training.step import NotFinite, Stepper

    rows = [int(row) for row in generator(settings.seed, "trial").integers(len(data), size=settings.batch)]
    batch = Loader(task, facts, data, settings.seed, None, 0).make(0, rows, set())

    def prepared(mode: Any) -> Callable[[], None]:
        network = build(task, model, facts, mode, settings.seed)
        stepper = Stepper(task, facts, Learner(task, network, settings, mode))

        def step() -> None:
            if batch.rows and not hasattr(network, "solve"):
                with contextlib.suppress(NotFinite):  # the run itself will meet it and say so
                    stepper.take([batch.arrays], 0, 1.0, 0.0)

        return step

    return prepared
