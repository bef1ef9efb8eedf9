"""The log of predictions: its last rows; all as JSON lines with --out; with --label what turned out to be so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen, plain
from sightline.cli._lines import columns, number
from sightline.cli._versions import WHERE
from sightline.core.errors import SettingsError


def run(
    screen: Screen,
    name: Annotated[str | None, "of a model; all models without it"] = None,
    *,
    newest: Annotated[int, "how many rows are shown"] = 20,
    out: Annotated[Path | None, "a file for all rows, as JSON lines"] = None,
    label: Annotated[str | None, "what was true of a request: REQUEST=NAME, REQUEST=right or REQUEST=wrong"] = None,
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """Rows, oldest first."""
    from sightline.core.files import write_durably
    from sightline.serving.places import PREDICTIONS, beside
    from sightline.serving.predictions import open_predictions

    if newest < 1:
        raise SettingsError(f"--newest {newest}: must be 1 or more.")
    with open_predictions(beside(registry, PREDICTIONS)) as log:
        if label is not None:
            request, equals, said = label.rpartition("=")
            if not equals or not request or not said:
                raise SettingsError(f"--label {label}: write REQUEST=NAME, REQUEST=right or REQUEST=wrong.")
            known = {"right": True, "wrong": False}
            log.label(request, name=None if said in known else said, right=known.get(said), source="command")
            screen.say(f"{request}: {said}")
            return {"request": request, "label": said}
        if out is not None:
            lines = [json.dumps(plain(row)) + "\n" for row in log.rows(name)]
            write_durably(out, "".join(lines).encode())
            screen.say(f"{len(lines):,} rows: {out}")
            return {"rows": len(lines), "path": out}
        found = list(log.rows(name, newest=newest))
    heads = ("request", "model", "arm", "answer", "score", "status", "seconds", "label")
    rows = [
        (
            row["request"], f"{row['model']} {row['number']}", row["arm"] + (" (shadow)" if row["shadow"] else ""),
            row["best"] or "-", number(row["score"]), str(row["status"]), f"{row['seconds']:.3g}", row["label"] or "-",
        )
        for row in found
    ]  # fmt: skip
    for line in columns([heads, *rows]) if rows else ["no predictions yet"]:
        screen.say(line)
    return {"rows": found}
