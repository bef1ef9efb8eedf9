"""Turn a finished run into a bundle that predicts without torch; refused where its answers differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import parity_line


def run(
    screen: Screen,
    run: Annotated[str, "a run, by path or name"],
    *,
    out: Annotated[Path | None, "folder, or one file that ends in .sightline; inside the run without it"] = None,
) -> dict[str, Any]:
    """The parity table, then where the bundle is."""
    from sightline.exporting.export import export

    made = export(run, out, tell=screen.tell).to_json()
    for row in made["parity"]:
        screen.say(parity_line(row))
    screen.say(f"bundle: {made['path']}")
    return made
