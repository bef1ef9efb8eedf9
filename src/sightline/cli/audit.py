"""Look at data before anything learns from it: what it is, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen


def run(
    screen: Screen,
    data: Annotated[str, "a folder, a label file, or a drawn world such as drawn:parts"],
    *,
    format: Annotated[str | None, "the label layout, where it can be read in two ways"] = None,
) -> dict[str, Any]:
    """The one-line summary, then the findings."""
    from sightline.auditing.audit import audit

    made = audit(data, format=format, tell=screen.tell)
    screen.say(made.line)
    for finding in made.findings:
        screen.say(f"- {getattr(finding, 'text', finding)}")
    return made.to_json()
