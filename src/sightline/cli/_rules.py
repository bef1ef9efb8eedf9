"""Rules measured on data, as lines and as a document."""

from __future__ import annotations

from typing import Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns, figure_line
from sightline.core.errors import AmbiguousError


def judged(screen: Screen, chain: str, data: str, side: str | None, format: str | None) -> dict[str, Any]:
    """Metrics of a chain, and the stage at which pictures fail."""
    from sightline.applying.judging import judge

    if not data:
        raise AmbiguousError(f"name the data to measure '{chain}' on.")
    found = judge(chain, data, side=side, format=format, tell=screen.tell)
    against = f"; baseline: {found.baseline}" if found.baseline else ""
    screen.say(f"{found.count} samples of the side '{found.side}'{against}")
    for row in found.figures:
        screen.say(figure_line(row))
    if found.cascade:
        screen.say("where pictures fail first:")
        for line in columns([(f"  {step}", how, left) for step, how, left in found.lines]):
            screen.say(line)
    return found.to_json()
