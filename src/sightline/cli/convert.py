"""Write data in another label layout: without loss, or with a list of what could not be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sightline.cli._display import Screen

LOSSY = 3  # the exit status where something could not be kept


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:parts"],
    out: Annotated[Path, "the folder to write; it must not exist yet"],
    *,
    to: Annotated[str, "the layout to write: coco, yolo, csv, jsonlines and so on (sightline list formats)"],
    format: Annotated[str | None, "the layout of the data, where it can be read in two ways"] = None,
    strict: Annotated[bool, "refuse instead of leaving anything out"] = False,
) -> dict[str, Any]:
    """How many samples were written, then each kind of thing that was left out; the status is 3 where there is one."""
    from sightline.core.conversion import convert

    made = convert(data, to, out, format=format, strict=strict, tell=screen.tell)
    screen.say(made.line)
    for loss in made.losses:
        screen.say(f"- {loss.count:,} x {loss.what} (first in {loss.example})")
    screen.status = LOSSY if made.losses else 0
    return made.to_json()
