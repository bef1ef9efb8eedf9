"""Let an alias name a version of a model, at once and for every service; `rollback` leads back."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._versions import WHERE, plain


def run(
    screen: Screen,
    name: Annotated[str, "of the model"],
    which: Annotated[str, "a number, an alias such as challenger, or latest"],
    *,
    alias: Annotated[str, "what that version is called from now on"] = "champion",
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """What the alias names now, and what it named before."""
    from sightline.registering.registry import open_registry

    with open_registry(registry, create=False) as opened:
        before = opened.aliases(name).get(alias)
        version = opened.promote(name, which, alias)
        aliases = opened.aliases(name)
    if before == version.number:
        screen.say(f"{name} {version.number} is the {alias} already")
    else:
        screen.say(f"{name} {version.number} is the {alias}" + (f"; before it was {before}" if before else ""))
    return {"alias": alias, "before": before, "version": plain(version, aliases)}
