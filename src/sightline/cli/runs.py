"""List the runs: what they learnt, how far they came, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns, number
from sightline.core.run import Run, all_runs


def run(
    screen: Screen,
    *,
    folder: Annotated[Path, "where the runs are"] = Path("runs"),
) -> dict[str, Any]:
    """A line a run."""
    rows = []
    for found in all_runs(folder):
        info = found.info
        figures = _figures(found)
        first = next(iter(figures.values()), None)
        row = {"name": found.path.name, "path": found.path, "data": info["data"]["name"], "epochs": len(found.history)}
        row |= {key: info[key] for key in ("task", "model", "state", "created")}
        row["figures"] = list(figures.values())
        row["first"] = "not evaluated" if first is None else f"{first['name']} {number(first['value'])}"
        rows.append(row)
    if not rows:
        screen.say(f"no runs in {folder}. Make one with: sightline train DATA")
    else:
        heads = ("name", "state", "epochs", "first", "created")
        for line in columns([heads, *(tuple(str(row[head]) for head in heads) for row in rows)]):
            screen.say(line)
    return {"runs": [{key: value for key, value in row.items() if key != "first"} for row in rows]}


def _figures(run: Run) -> dict[str, Mapping[str, Any]]:
    from sightline.evaluating.evaluate import Evaluation

    if not run.evaluation.is_file():
        return {}
    return {row["name"]: row for row in Evaluation.read(run.evaluation).figures}
