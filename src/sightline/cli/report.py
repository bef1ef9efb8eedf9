"""Write report.html of an evaluated run: numbers, curves, worst mistakes, and what was not tested."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen


def run(screen: Screen, run: Annotated[str, "a run, by path or name"]) -> dict[str, Any]:
    """The path of the page."""
    from sightline.evaluating.describe import report

    path = report(run, tell=screen.tell)
    screen.say(str(path))
    return {"path": path}
