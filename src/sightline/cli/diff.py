"""What differs between two versions of a data set: pictures added, removed, renamed or changed, labels, sides."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    a: Annotated[str, "the older version: a folder, a label file, a file of sides"],
    b: Annotated[str, "the newer version"],
    *,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
    labels_only: Annotated[bool, "open no picture; compare only what is said of them"] = False,
) -> dict[str, Any]:
    """One line, then the first samples of each kind of difference."""
    from sightline.core.versions import diff

    found = diff(a, b, format=format, pictures=not labels_only, tell=screen.tell)
    screen.say(found.line)
    for way, shown in found.examples.items():
        more = found.counts[way] - len(shown)
        screen.say(f"{way}: {', '.join(shown)}" + (f" and {more:,} more" if more else ""))
    return found.to_json()
