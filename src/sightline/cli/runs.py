"""List the runs, or compare two of them: `sightline runs`, `sightline runs compare A B`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from sightline.cli._command import UsageError
from sightline.cli._display import Screen
from sightline.cli._lines import columns, figure_line, number
from sightline.core.errors import RunError, nearest
from sightline.core.run import Run, all_runs, open_run
from sightline.core.settings import differences


def run(
    screen: Screen,
    words: Annotated[tuple[str, ...], "nothing to list, or: compare A B"] = (),
    *,
    folder: Annotated[Path, "where the runs are"] = Path("runs"),
) -> dict[str, Any]:
    """A line a run, or what separates two."""
    if not words:
        return _listed(screen, folder)
    if words[0] != "compare":
        hint = nearest(words[0], ["compare"])
        raise UsageError(f"'{words[0]}' is nothing that can be done with runs.{hint} See: sightline runs --help")
    if len(words) != 3:
        raise UsageError(f"two runs can be compared, not {len(words) - 1}. Write: sightline runs compare A B")
    return _compared(screen, open_run(words[1], folder), open_run(words[2], folder))


def _listed(screen: Screen, folder: Path) -> dict[str, Any]:
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


def _compared(screen: Screen, first: Run, second: Run) -> dict[str, Any]:
    """Settings that differ, metrics side by side, and a verdict only where a paired interval leaves zero out."""
    from sightline.evaluating.rivals import rivals

    apart = differences(_flat(first.info), _flat(second.info))
    screen.say("settings that differ:" if apart else "the settings are the same.")
    for line in apart:
        screen.say(f"  {line}")
    figures = _figures(first), _figures(second)
    missing = [str(run_.path) for run_, found in zip((first, second), figures, strict=True) if not found]
    if missing:
        raise RunError(f"{' and '.join(missing)}: not evaluated yet. Run: sightline evaluate {missing[0]}")
    rows = []
    for name, found in rivals(first, second).items():
        winner = {"first": first.path.name, "second": second.path.name}.get(found.verdict)
        pair = figures[0][name], figures[1][name]
        rows.append({"name": name, "first": pair[0], "second": pair[1], **found.to_json()})
        reach = f"difference {number(found.difference)}, {number(found.low)} to {number(found.high)}"
        screen.say(f"{name}: {f'{winner} is better' if winner else 'cannot tell'} ({reach}, n={found.count}, paired)")
        for run_, row in zip((first, second), pair, strict=True):
            screen.say(f"  {run_.path.name}: {figure_line(row)}")
    return {"first": first.path, "second": second.path, "settings": apart, "metrics": rows}


def _figures(run: Run) -> dict[str, Mapping[str, Any]]:
    from sightline.evaluating.evaluate import Evaluation

    if not run.evaluation.is_file():
        return {}
    return {row["name"]: row for row in Evaluation.read(run.evaluation).figures}


def _flat(info: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: info[key] for key in ("task", "model", "split", "phases")} | {"data": info["data"]["name"]}
    plain |= {f"train.{name}": value for name, value in info["settings"].items()}
    return plain | {f"task.{name}": value for name, value in info["options"].items()}
