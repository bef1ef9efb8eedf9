"""Look after a registry: fsck, gc, log, backup, restore, delete, note, unalias.

fsck checks every page, row, file and line of the log. gc takes away files that no version has needed for an hour.
log [NAME] says who did what. backup TO writes a folder while others go on; restore FROM fills an empty registry from
one, whichever database either has. delete NAME WHICH gives a version up that no alias names. note NAME WHICH TEXT says
something of a version. unalias NAME ALIAS takes an alias away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._command import UsageError
from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.cli._versions import WHERE
from sightline.core.errors import SettingsError, UnknownNameError, nearest

if TYPE_CHECKING:
    from sightline.registering.registry import Registry

Action = Callable[[Screen, "Registry", list[str], float], dict[str, Any]]


def run(
    screen: Screen,
    what: Annotated[str, "fsck, gc, log, backup, restore, delete, note or unalias"],
    words: Annotated[tuple[str, ...], "what that takes: a folder, or a model, a version, a note"] = (),
    *,
    registry: Annotated[str | None, WHERE] = None,
    grace: Annotated[float, "seconds for which gc lets alone what was put or deleted"] = 3600.0,
    noted: Annotated[str, "a head of the log that fsck printed once: the log must still hold that row"] = "",
) -> dict[str, Any]:
    """Status 2 where a check finds something wrong."""
    from sightline.registering.registry import open_registry

    if what not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        raise UnknownNameError(f"a registry has no '{what}'.{nearest(what, _ACTIONS)} It has: {known}.")
    action, shape = _ACTIONS[what]
    needed = [word for word in shape.split() if not word.startswith("[")]
    if not len(needed) <= len(words) <= len(shape.split()):
        raise UsageError(f"write: sightline registry {what} {shape}".rstrip())
    if grace < 0:
        raise SettingsError(f"--grace {grace:g}: must be 0 seconds or more.")
    with open_registry(registry, create=action is _restore) as opened:
        return action(screen, opened, [noted] if action is _fsck else list(words), grace)


def _fsck(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    checked = registry.fsck(screen.tell, noted=words[0])
    for problem in checked.problems:
        screen.say(f"- {problem}")
    counts = checked.counts
    if checked.problems:
        screen.status = 2
        screen.say(f"{len(checked.problems)} things are wrong. Restore a backup: sightline registry restore FOLDER")
    else:
        screen.say(
            f"all is well: {_many(counts['versions'], 'version')}, "
            f"{_many(counts['files'], 'file')} ({_bytes(counts['bytes'])}), "
            f"{counts['unneeded']:,} unneeded, {_many(counts['log'], 'row')} of the log"
        )
        screen.say(f"head of the log: {checked.head}")
    return checked.to_json()


def _gc(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    taken = registry.gc(grace)
    screen.say(f"{len(taken.addresses):,} files taken away, {_bytes(taken.size)} freed")
    return taken.to_json()


def _log(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    name = words[0] if words else None
    after, found = 0, []
    while page := registry.log(name, after=after):
        found += page
        after = page[-1].number
    lines = [("row", "when", "who", "what", "model", "")]
    for entry in found:
        told = {key: value for key, value in entry.facts.items() if key not in _LONG and value != ""}
        facts = ", ".join(f"{key} {_short(value)}" for key, value in told.items())
        at = entry.at[:19].replace("T", " ")
        lines.append((str(entry.number), at, entry.who, entry.what, entry.name or "-", facts))
    for line in columns(lines) if found else ["nothing was done yet"]:
        screen.say(line)
    keys = ("number", "at", "who", "what", "name", "facts", "hash")
    return {"log": [{key: getattr(entry, key) for key in keys} for entry in found]}


def _backup(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    made = registry.backup(words[0], screen.tell)
    screen.say(f"backup: {made.path}, {_many(made.versions, 'version')}, {_bytes(made.size)}")
    return made.to_json()


def _restore(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    made = registry.restore(words[0], screen.tell)
    screen.say(f"restored: {_many(made.versions, 'version')}, {_bytes(made.size)}, to {registry.database.place}")
    return made.to_json()


def _delete(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    version = registry.delete(*words)
    screen.say(f"{version.name} {version.number} is deleted; sightline registry gc frees its bytes after an hour")
    return {"name": version.name, "number": version.number}


def _note(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    version = registry.note(*words)
    screen.say(f"{version.name} {version.number}: {version.note or 'no note'}")
    return {"name": version.name, "number": version.number, "note": version.note}


def _unalias(screen: Screen, registry: Registry, words: list[str], grace: float) -> dict[str, Any]:
    registry.unalias(*words)
    screen.say(f"{words[0]} has no {words[1]} any more")
    return {"name": words[0], "alias": words[1]}


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size:,} bytes"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


_LONG = ("address", "addresses", "seal")
_SHAPES: tuple[tuple[Action, str], ...] = (
    (_fsck, ""),
    (_gc, ""),
    (_log, "[NAME]"),
    (_backup, "TO"),
    (_restore, "FROM"),
    (_delete, "NAME WHICH"),
    (_note, "NAME WHICH TEXT"),
    (_unalias, "NAME ALIAS"),
)
_ACTIONS = {action.__name__.strip("_"): (action, shape) for action, shape in _SHAPES}
