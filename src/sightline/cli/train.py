"""Train on a folder, evaluate on what was held out, export a bundle and write a report.

The same command continues a run that was stopped or killed, to the same weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import figure_line, parity_line
from sightline.cli._listening import Listening
from sightline.cli._settings import sections
from sightline.core.errors import MissingExtraError
from sightline.core.progress import Event, Tell

if TYPE_CHECKING:
    from sightline.core.run import Run


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as 'drawn:parts?count=400'"],
    *,
    task: Annotated[str | None, "what to learn, where the data suits several tasks"] = None,
    model: Annotated[str | None, "the network; the task has a default"] = None,
    out: Annotated[Path | None, "folder of the run; named after data, task and settings under runs/ without it"] = None,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
    epochs: Annotated[int | None, "times through the data; short for --set train.epochs=N"] = None,
    batch: Annotated[int | None, "samples a step; short for --set train.batch=N"] = None,
    seed: Annotated[int | None, "of all chance; short for --set train.seed=N"] = None,
    device: Annotated[str | None, "auto, cpu, cuda or mps; short for --set train.device=NAME"] = None,
    workers: Annotated[int | None, "threads that load; short for --set train.workers=N"] = None,
    minutes: Annotated[float | None, "time to train, from now to the weights: the best model that it buys"] = None,
    within: Annotated[
        float | None, "milliseconds an answer may take; with --minutes, slower networks are left out"
    ] = None,
    extend: Annotated[int, "epochs to add to a run that is done"] = 0,
    settings: Annotated[Path | None, "a TOML file with sections [train] and [task]"] = None,
    set: Annotated[tuple[str, ...], "one setting, such as train.rate=0.001 or task.size=96; may be repeated"] = (),
    listen: Annotated[tuple[str, ...], "who else listens: see sightline list listeners; may be repeated"] = (),
    folds: Annotated[int, "cross-validate: train once for each of so many parts that are left out in turn"] = 0,
    no_audit: Annotated[bool, "do not look for faults of the data first"] = False,
    no_export: Annotated[bool, "make no bundle"] = False,
    no_report: Annotated[bool, "write no report.html"] = False,
) -> dict[str, Any]:
    """Everything from data to a bundle."""
    from sightline.training.train import train

    flags = {"epochs": epochs, "batch": batch, "seed": seed, "device": device, "workers": workers}
    chosen = sections(settings, set, flags)
    if folds:
        from sightline.cli._folds import folded

        common = {"settings": chosen["train"], "options": chosen["task"], "look": not no_audit}
        return folded(screen, data, task, folds=folds, model=model, out=out, format=format, **common)
    listeners = Listening(listen, out, screen.tell)
    document: dict[str, Any] = {}
    with listeners:
        made = train(
            data,
            task,
            model=model,
            out=out,
            format=format,
            settings=chosen["train"],
            options=chosen["task"],
            minutes=minutes,
            within=within,
            extend=extend,
            look=not no_audit,
            tell=saying_audit(screen, document, listeners.tell),
        )
    document |= finish(screen, made, bundle=not no_export, page=not no_report)
    say_paths(screen, document["paths"])
    return document


def saying_audit(screen: Screen, document: dict[str, Any], tell: Tell) -> Tell:
    """A listener that also makes the line of the audit part of the result."""

    def listen(event: Event) -> None:
        tell(event)
        if event.kind == "audit":
            screen.say(event.text)
            document["audit"] = dict(event.facts)

    return listen


def finish(screen: Screen, made: Run, *, bundle: bool = True, page: bool = True) -> dict[str, Any]:
    """Evaluate, export and report a run that is done; a missing library costs its part and no more."""
    from sightline.evaluating.describe import report
    from sightline.evaluating.evaluate import evaluate
    from sightline.exporting.export import export

    paths = {"run": made.path}
    found = evaluate(made, tell=screen.tell)
    screen.say(f"measured on {found.count} samples of the side '{found.side}':")
    for row in found.figures:
        screen.say(f"  {figure_line(row)}")
    document: dict[str, Any] = {"state": made.info["state"], "evaluation": found.to_json(), "paths": paths}
    try:
        if bundle:
            exported = export(made, tell=screen.tell)
            paths["bundle"], document["parity"] = exported.path, exported.to_json()["parity"]
            screen.say("the exported model against the trained one:")
            for row in document["parity"]:
                screen.say(f"  {parity_line(row)}")
    except MissingExtraError as error:
        screen.tell(Event("warn", f"no bundle: {error.message}"))
    try:
        if page:
            paths["report"] = report(made, tell=screen.tell)
    except MissingExtraError as error:
        screen.tell(Event("warn", f"no report: {error.message}"))
    return document


def say_paths(screen: Screen, paths: dict[str, Path]) -> None:
    """Where everything is, last, so that it stays on the screen."""
    for name, path in paths.items():
        screen.say(f"{name}: {path}")
