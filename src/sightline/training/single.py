"""One run from its record to its weights: begun once, continued by the same call."""

from __future__ import annotations

import datetime
import platform
import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, RunError
from sightline.core.extras import need
from sightline.core.files import write_durably
from sightline.core.progress import Event, Tell
from sightline.core.run import Run
from sightline.core.settings import differences, fill, to_toml
from sightline.core.task import Facts, Task
from sightline.evaluating.diagnosing import say_how
from sightline.training.imbalance import imbalance
from sightline.training.settings import FREE, Settings


def begun(run: Run, wanted: dict[str, Any], sides: Dataset, tell: Tell) -> dict[str, Any]:
    """The record of the run: new, or the one it was begun with, never another."""
    if run.exists:
        info = run.info
        refuse_others(run, info, wanted)
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


def refuse_others(run: Run, was: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """One line that names every setting in which a command differs from the one that began a run."""
    changed = [
        f"{part}.{line}" if isinstance(wanted[part], dict) else line
        for part in wanted
        for line in _changed(part, was.get(part), wanted[part])
    ]
    if changed:
        raise RunError(
            f"{run.path} was begun with other settings ({'; '.join(changed)}). "
            "Use the same ones to continue it, or another --out to start anew."
        )


def _changed(part: str, old: Any, new: Any) -> list[str]:
    if isinstance(new, dict):
        plain = {k: v for k, v in (old or {}).items() if k not in ("where", "name")}
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


def learn(
    run: Run,
    task: Task,
    sides: Dataset,
    settings: Settings,
    info: dict[str, Any],
    asked: Any,
    tell: Tell,
    pace: Any = None,
) -> None:
    """Learn until the run is done: what is fixed at step 0 is written down first."""
    from safetensors.torch import save as pack

    from sightline.training import assemble as assembling
    from sightline.training import choices as choosing
    from sightline.training.layers import count_parameters
    from sightline.training.loader import tuned
    from sightline.training.team import led
    from sightline.training.trial import ROWS, stepping

    train_side = sides.side("train")
    if settings.processes > 1 and info["data"]["where"] is None:
        raise RunError("train.processes: the other processes cannot see data in memory. Give the place of the data.")
    if not len(train_side):
        raise InputError("empty", f"{sides.name} holds nothing to learn from.")
    if "facts" not in info:
        facts = task.prepare(train_side, fill(type(task).Options, info["options"]), info["model"])
        facts = standing(tuned(facts, train_side, settings), info["model"])
        info["facts"] = facts.to_json()
        info["imbalance"] = imbalance(task, train_side, settings)
    facts = Facts.from_json(info["facts"])
    with assembling.repeatable():
        if "choices" not in info:
            asking = (task, info["model"], facts, train_side, settings)
            what = {"task": info["task"], "model": info["model"], "facts": info["facts"], "batch": settings.batch}
            steps = sum(info["phases"]) * len(train_side) / min(ROWS, settings.batch)
            whole = stepping(*asking, most=settings.batch // settings.processes)
            steady = _steady(settings, info["model"])
            info["choices"] = asdict(choosing.choose(steady, stepping(*asking), what, steps=steps, whole=whole))
            run.write(info)
            _note_settings(run, settings, info)
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
            loop.pace = pace
            loop.go()
            say_how(loop.state.history, task.metrics[0], loop.state.lower, tell)
        write_durably(run.weights, pack({name: value.cpu().contiguous() for name, value in loop.best.items()}))
        if loop.state.paced:
            info["paced"] = loop.state.paced
        kept = {"best_epoch": loop.state.best_epoch, "best": loop.state.best, "lower": loop.state.lower}
        info |= {"state": "done", **kept, "skipped": len(loop.state.skipped)}
        run.write(info)
    tell(Event("done", f"done: best epoch {loop.state.best_epoch}", {"run": str(run.path)}))


def _note_settings(run: Run, settings: Settings, info: Mapping[str, Any]) -> None:
    """Leave a file by which one command makes this run again, whatever is usual by then."""
    said = {"train": {k: v for k, v in asdict(settings).items() if k not in FREE}, "task": info["options"]}
    command = run.command("--settings", shlex.quote(str(run.settings)), "--out", "FOLDER")
    write_durably(run.settings, to_toml(said, "Every setting of one run; it is made again by:", command).encode())


def standing(facts: Facts, model: str) -> Facts:
    """The facts with what the network is built from later, where the model as it is named may be gone by then."""
    alone = getattr(catalog.find("models", model), "ALONE", "")
    return replace(facts, extra={**facts.extra, "alone": alone}) if alone else facts


def _steady(settings: Settings, model: str) -> Settings:
    """What learns from features takes no steps that could be timed, and wants every bit."""
    takes = getattr(catalog.find("models", model), "TAKES", "pictures")
    return replace(settings, precision="float32", layout="plain") if takes == "features" else settings
