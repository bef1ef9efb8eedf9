"""What a given time was spent on, where a run had one: every rung that was tried, and which was kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sightline.evaluating.chart import readable
from sightline.evaluating.page import section as part
from sightline.evaluating.page import table
from sightline.evaluating.scene import Scene

ORDER = 80
LADDER = "ladder.json"
SHOWN = ("model", "epochs", "closed", "state", "found", "seconds")


def study(scene: Scene) -> dict[str, Any] | None:
    """The rungs of the run's ladder; None where it was not given a time."""
    if scene.run is None or not (scene.run.path / LADDER).is_file():
        return None
    book = json.loads((scene.run.path / LADDER).read_bytes())
    if book.get("best") is None:
        return None
    rows = [{name: rung[name] for name in SHOWN} for rung in book["rungs"]]
    kept = ("data_seconds", "timing_seconds", "seconds", "best")
    return {"minutes": book["wanted"]["minutes"], "rungs": rows, **{name: book.get(name) for name in kept}}


def section(found: Mapping[str, Any], scene: Scene) -> str:
    """A table of the rungs with what each reached on the validation side."""
    lead = (
        f"{found['minutes']:g} minutes were given. Looking at data took {readable(found['data_seconds'])} s "
        f"and timing the candidates {readable(found['timing_seconds'])} s. Each was measured on the validation side, "
        "which no figure above comes from; the best was kept."
    )
    rows = [_row(rung, place == found["best"]) for place, rung in enumerate(found["rungs"])]
    heads = ("network", "learning", "seconds", "validation", "95 % interval", "")
    return part("What the time was spent on", table(heads, rows, numbers=(2, 3), caption="rungs of the ladder"), lead)


def _row(rung: Mapping[str, Any], kept: bool) -> tuple[str, ...]:
    how = "solved at once" if rung["closed"] else f"planned for {rung['epochs']:.1f} epochs"
    if rung["state"] != "done":
        return (rung["model"], "left out: its time was over", "", "", "", "")
    value, reach = "", ""
    if rung["found"] is not None:
        value = f"{rung['found']['name'].replace('_', ' ')} {readable(rung['found']['value'])}"
        reach = f"{readable(rung['found']['low'])} to {readable(rung['found']['high'])}"
    return (rung["model"], how, readable(rung["seconds"]), value, reach, "kept" if kept else "")
