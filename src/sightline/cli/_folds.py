"""Cross-validation as `sightline train` shows it."""

from __future__ import annotations

from typing import Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns, figure_line, number


def folded(screen: Screen, data: str, task: str | None, **given: Any) -> dict[str, Any]:
    """Each metric over all samples, and fold by fold."""
    from sightline.training.folding import cross_validate

    found = cross_validate(data, task, tell=screen.tell, **given)
    screen.say(f"{found.count:,} samples, each answered by a model that never saw it nor its group:")
    for row in found.figures:
        screen.say(f"  {figure_line({**row, 'baseline': None})}")
    heads = ("metric", "mean", "spread", *(f"fold {number_}" for number_ in range(1, len(found.runs) + 1)))
    rows = [
        (row["name"], number(row["mean"]), number(row["spread"]), *map(number, row["folds"])) for row in found.figures
    ]
    for line in columns([heads, *rows]):
        screen.say(line)
    screen.say(f"folds: {found.path}")
    return found.to_json()
