"""List what is there: tasks, models, formats, metrics and every other family, with a line about each entry."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.core import catalog
from sightline.core.errors import UnknownNameError, nearest


def run(
    screen: Screen, family: Annotated[str, "one family, such as tasks or models; all families without it"] = ""
) -> dict[str, Any]:
    """The families, or the entries of one."""
    known = sorted({*catalog.MODULES, *catalog.FUNCTIONS})
    if not family:
        found = {name: catalog.names(name) for name in known}
        for line in columns((name, str(len(entries)), ", ".join(entries)) for name, entries in found.items()):
            screen.say(line)
        return {"families": found}
    if family not in known:
        raise UnknownNameError(f"no family is called '{family}'.{nearest(family, known)} Families: {', '.join(known)}.")
    entries = catalog.describe(family)
    for line in columns(entries.items()):
        screen.say(line)
    return {"family": family, "entries": entries}
