"""Every runtime and precision of bundles side by side: size, time, memory, gap, accuracy; and a budget of time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.core.errors import SettingsError

if TYPE_CHECKING:
    from sightline.exporting.benching import Row

HEADS = ("model", "runtime", "MB", "p50 ms", "p95 ms", "network ms", "8/s", "16/s", "peak MB", "gap")


def run(
    screen: Screen,
    models: Annotated[tuple[str, ...], "bundles, or runs that have one; all are held to the first"],
    *,
    data: Annotated[str, "labelled data: how good every form is on it, with an interval"] = "",
    side: Annotated[str | None, "train, val or test of the data"] = None,
    format: Annotated[str | None, "the label layout of the data"] = None,
    max_drop: Annotated[
        float | None,
        "points of a hundred that a form may lose on the data; `--backend fastest` takes those from then on",
    ] = None,
    budget_ms: Annotated[
        float | None, "milliseconds that 95 of 100 answers may take; status 2 where none keeps it"
    ] = None,
    threads: Annotated[int | None, "threads of every runtime; all cores without it"] = None,
    no_memory: Annotated[bool, "do not start a process for each form to see what memory it takes"] = False,
) -> dict[str, Any]:
    """The table, a line a form."""
    if not models:
        raise SettingsError("name a bundle, or a run that has one.")
    if max_drop is not None and not data:
        raise SettingsError("--max-drop is measured on labelled pictures: name them with --data.")
    from sightline.exporting.benching import bench

    found = bench(
        models, data or None, side=side, format=format, threads=threads, budget=budget_ms, max_drop=max_drop,
        memory=not no_memory, tell=screen.tell,
    )  # fmt: skip
    several, judged = len(models) > 1, any(row.figure for row in found.rows)
    name = next((str(row.figure["name"]) for row in found.rows if row.figure), "")
    heads = (*HEADS, name, "95 % interval", "drop") if judged else HEADS
    lines = [heads, *(_cells(row, judged) for row in found.rows)]
    for line in columns([line if several else line[1:] for line in lines]):
        screen.say(line)
    for row in found.rows:
        if row.refused:
            screen.say(f"{row.told}: {row.refused}")
    if found.accepted:
        screen.say(f"lose at most {max_drop:g} points, and may be taken from now on: {', '.join(found.accepted)}")
    if budget_ms is not None:
        holder = found.holder
        kept = "no form keeps to it" if holder is None else f"kept by {holder.told}, p95 {holder.p95:.3g} ms"
        screen.say(f"budget of {budget_ms:g} ms: {kept}")
        screen.status = 2 if holder is None else 0
    return found.to_json()


def _cells(row: Row, judged: bool) -> tuple[str, ...]:
    numbers = (row.size / 1e6, row.p50, row.p95, row.network, row.rates.get(8), row.rates.get(16), row.memory / 1e6)
    cells = (row.model, row.told, *map(_number, numbers), f"{row.gap:.2g}")
    if not judged:
        return cells
    if row.figure is None:
        return (*cells, "-", "-", "-")
    ends = f"{_number(row.figure['low'])} to {_number(row.figure['high'])}"
    return (*cells, _number(row.figure["value"]), ends, f"{row.drop:+.2f}")


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
