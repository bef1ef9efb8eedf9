"""Search for better settings: trials are runs, hopeless ones end early, a stopped search goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._settings import sections
from sightline.core.errors import SettingsError

SHOWN = 10


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as 'drawn:parts?count=400'"],
    *,
    task: Annotated[str | None, "what to learn, where the data suits several tasks"] = None,
    model: Annotated[str | None, "the network; the task has a default"] = None,
    vary: Annotated[
        tuple[str, ...], "what to vary: train.rate=0.001..0.1, train.batch=8,16 or model=a,b; may be repeated"
    ] = (),
    trials: Annotated[int, "runs in all, those of earlier calls counted"] = 20,
    minutes: Annotated[float | None, "begin no trial after so long"] = None,
    out: Annotated[Path | None, "folder of the search"] = None,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
    epochs: Annotated[int | None, "of each trial; short for --set train.epochs=N"] = None,
    settings: Annotated[Path | None, "a TOML file with sections [train] and [task]"] = None,
    set: Annotated[tuple[str, ...], "one setting that all trials share, such as train.batch=32; may be repeated"] = (),
) -> dict[str, Any]:
    """The best trials, and the best one measured on the side that no trial saw."""
    from sightline.cli._lines import columns, figure_line, number
    from sightline.evaluating.evaluate import evaluate
    from sightline.training.tuning import tune

    chosen = sections(settings, set, {"epochs": epochs})
    ranges = dict(_pair(word) for word in vary) or None
    found = tune(
        data,
        task,
        vary=ranges,
        trials=trials,
        minutes=minutes,
        model=model,
        out=out,
        format=format,
        settings=chosen["train"],
        options=chosen["task"],
        tell=screen.tell,
    )
    heads = (*found.trials[0]["settings"], f"val {found.metric}", "epochs", "state")
    rows = [
        (*(_short(value) for value in row["settings"].values()), number(row["value"]), str(row["epochs"]), row["state"])
        for row in found.trials[:SHOWN]
    ]
    for line in columns([heads, *rows]):
        screen.say(line)
    measured = evaluate(found.best, tell=screen.tell)
    screen.say(f"the best one, measured on the side '{measured.side}', which no trial saw:")
    for figure in measured.figures:
        screen.say(f"  {figure_line(figure)}")
    screen.say(f"run: {found.best.path}")
    return {**found.to_json(), "evaluation": measured.to_json()}


def _pair(word: str) -> tuple[str, str]:
    name, equals, text = word.partition("=")
    if not equals:
        raise SettingsError(f"'{word}' says no range; write for example train.rate=0.001..0.1 or model=small,quick.")
    return name, text


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
