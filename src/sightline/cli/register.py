"""Keep a bundle as a numbered version of a model; the first one becomes its champion.

The bundle is verified and copied, so that the run may be deleted. The same bundle again is the same version.
"""

from __future__ import annotations

from typing import Annotated, Any

from sightline.cli._display import Screen
from sightline.cli._versions import WHERE, figure, plain


def run(
    screen: Screen,
    bundle: Annotated[str, "a bundle, or a run that has one, by path or name"],
    *,
    name: Annotated[str | None, "of the model; that of its data without it"] = None,
    alias: Annotated[str | None, "what it is called from now on, such as champion or challenger"] = None,
    note: Annotated[str, "what people should know of this version"] = "",
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """Which version it is, and what it is called."""
    from sightline.core.progress import Event
    from sightline.registering import rows
    from sightline.registering.packing import packed
    from sightline.registering.registry import open_registry
    from sightline.registering.version import CHAMPION

    new = True

    def listen(event: Event) -> None:
        nonlocal new
        new = event.facts.get("new", new)
        screen.say(event.text)

    given = packed(bundle)
    name = given.suggested if name is None else name
    rows.check_name(name)
    if alias is not None:
        rows.check_alias(alias)
    with open_registry(registry) as opened:
        version = opened.keep(name, given, alias=alias, note=note, tell=listen)
        aliases = opened.aliases(name)
    if alias is not None:
        screen.say(f"{name} {version.number} is the {alias}")
    screen.say(f"{version.task}, {figure(version)}; seal {version.seal[:16]}")
    if aliases.get(CHAMPION) != version.number:
        screen.say(f"the {CHAMPION} is still {aliases[CHAMPION]}. Change it with:")
        screen.say(f"  sightline promote {name} {version.number}")
    return {"version": plain(version, aliases), "new": new}
