"""Models that can be named where others take a path, such as `predict parts@champion`; with NAME the card of one."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns, number, printable
from sightline.cli._versions import WHERE


def run(
    screen: Screen,
    name: Annotated[str | None, "of a model, such as parts@champion or shipped@denoise_gray; all without it"] = None,
    *,
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """A line a model, or what one says of itself."""
    from sightline.predicting.named import card, shelf

    if name is not None:
        text = card(name, registry)
        for line in text.splitlines():
            screen.say(printable(line))
        return {"name": name, "card": text}
    found = shelf(registry)
    rows = [("name", "task", "network", "measured", "size", "licence", "note")]
    for one in found:
        figure = "-" if one.figure is None else f"{one.figure.get('name')} {number(one.figure.get('value'))}"
        size = f"{one.size / 1e6:.1f} MB"
        rows.append((one.name, one.task, one.network, figure, size, one.licence, printable(one.note)))
    for line in columns(rows):
        screen.say(line)
    screen.note("to begin a training: the names of `sightline list models`, and every timm:NAME (docs/models.md)")
    return {"models": [one.to_json() for one in found]}
