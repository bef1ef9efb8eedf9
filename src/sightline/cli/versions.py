"""List the versions of a model, or of all: their aliases, data, first figure with its interval, and notes."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.cli._versions import WHERE, data_name, figure, plain


def run(
    screen: Screen,
    name: Annotated[str | None, "of a model; all without it"] = None,
    *,
    deleted: Annotated[bool, "also those that were deleted"] = False,
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """A line a version, the oldest first."""
    from sightline.registering.registry import open_registry

    with open_registry(registry, create=False) as opened:
        versions = opened.versions(name, deleted=deleted)
        aliases = {one: opened.aliases(one) for one in {version.name for version in versions}}
    lines = [("model", "version", "aliases", "created", "data", "measured", "note")]
    found = []
    for version in versions:
        row = plain(version, aliases[version.name])
        found.append(row)
        called = ", ".join(row["aliases"]) or ("deleted" if version.deleted else "-")
        words = (version.name, str(version.number), called, version.created[:16].replace("T", " "))
        lines.append((*words, data_name(version), figure(version), version.note))
    if not found:
        screen.say("no versions yet. Register one with: sightline register RUN")
    else:
        for line in columns(lines):
            screen.say(line)
    return {"versions": found}
