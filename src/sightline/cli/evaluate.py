"""Measure a run on what it held out, or a bundle or rules on data you name: metrics with intervals and a baseline."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import figure_line


def run(
    screen: Screen,
    what: Annotated[str, "a run, by path or name, a bundle, or a chain such as 'otsu | components least=50'"],
    data: Annotated[str, "the data; a run knows its own"] = "",
    *,
    side: Annotated[str | None, "train, val or test; the first of test and val that is there"] = None,
    format: Annotated[str | None, "the label layout of the data"] = None,
    quick: Annotated[bool, "the metrics alone: no slices, corruptions, explanations and other studies"] = False,
) -> dict[str, Any]:
    """One line a metric."""
    from sightline.applying.chain import is_chain
    from sightline.evaluating.evaluate import evaluate

    if is_chain(what):
        from sightline.cli._rules import judged

        return judged(screen, what, data, side, format)
    found = evaluate(what, data or None, side=side, format=format, quick=quick, tell=screen.tell)
    against = f"; baseline: {found.baseline}" if found.baseline else ""
    screen.say(f"{found.count} samples of the side '{found.side}'{against}")
    for row in found.figures:
        screen.say(figure_line(row))
    return found.to_json()
