"""Let an alias of a model name what it named before; once more goes further back."""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._versions import WHERE, plain


def run(
    screen: Screen,
    name: Annotated[str, "of the model"],
    *,
    alias: Annotated[str, "whose way back is taken"] = "champion",
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """What the alias names now, and what it named until now."""
    from sightline.registering.registry import open_registry

    with open_registry(registry, create=False) as opened:
        before = opened.aliases(name).get(alias)
        version = opened.rollback(name, alias)
        aliases = opened.aliases(name)
    screen.say(f"{name} {version.number} is the {alias} again; before it was {before}")
    return {"alias": alias, "before": before, "version": plain(version, aliases)}
