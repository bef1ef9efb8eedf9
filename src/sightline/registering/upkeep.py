"""What keeps a registry sound: taking away files that nobody needs, and checking everything that it says of itself."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sightline.core.errors import StorageError
from sightline.core.progress import Event, Tell, silent
from sightline.registering import log, rows
from sightline.registering.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from sightline.registering.registry import Registry

ABANDONED = 24 * 3600.0  # seconds after which a half-written file has no writer any more


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection took away."""

    addresses: tuple[str, ...]
    size: int  # bytes
    partial: int  # files that killed writers left

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check went through, and what is wrong."""

    problems: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    head: str = ""  # the hash of the last row of the log: note it elsewhere, and no one can write history anew unseen

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def gc(registry: Registry, grace: float) -> Collected:
    """Take away files that no version needs and that nobody put within `grace` seconds.

    It is a writer, as whoever registers is: between its look at the rows and its last file nothing is registered, and
    whoever registers looks for the file again when its turn comes.
    """
    blobs = registry.blobs
    old = [address for address in blobs.all() if blobs.untouched(address) >= grace]
    partial = blobs.sweep(max(grace, ABANDONED))
    if not old:
        return Collected((), 0, partial)
    with registry.database.write() as connection:
        needed = _needed(connection, grace)
        taken = [address for address in old if address not in needed and blobs.untouched(address) >= grace]
        size = sum(blobs.delete(address) for address in taken)
        if taken and rows.listed(connection, deleted=True):  # where nothing was ever registered there is no history
            log.append(connection, registry.who, "gc", "", {"addresses": taken, "size": size})
    return Collected(tuple(taken), size, partial)


def _needed(connection: Connection, grace: float) -> set[str]:
    """The files of every version, and of those that were deleted a moment ago: someone may be opening them."""
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=grace)
    since = moment.isoformat(timespec="seconds")
    return {row.address for row in rows.listed(connection, deleted=True) if not row.deleted or row.deleted > since}


def fsck(registry: Registry, tell: Tell = silent, noted: str = "") -> Checked:
    """Pages, rows against each other, rows against the log played again, every byte of every file.

    `noted` is a head of the log that someone wrote down: the log must still hold that row.
    """
    problems = registry.database.problems()
    try:
        with registry.database.read() as connection:
            versions = rows.listed(connection, deleted=True)
            entries = list(_entries(connection))
            problems += _rows(connection, versions)
            last = head(connection)
            broken = log.problems(entries, last)
            problems += broken or _replayed(connection, versions, entries)
            if noted and all(entry.hash != noted for entry in entries):
                problems.append("the log does not hold the row that was noted: its history was written anew")
    except (StorageError, ValueError) as error:
        return Checked((*problems, f"the tables cannot be read: {str(error)[:300]}"))
    kept = [row for row in versions if not row.deleted]
    there = {row.address: row for row in kept}
    problems += _files(registry, list(there.values()), tell)
    counts = {"versions": len(kept), "deleted": len(versions) - len(kept), "files": len(there), "log": len(entries)}
    counts["unneeded"] = sum(address not in there for address in registry.blobs.all())
    counts["bytes"] = sum(row.size for row in there.values())
    return Checked(tuple(problems), counts, last)


def _entries(connection: Connection) -> Iterator[log.Entry]:
    after = 0
    while page := log.read(connection, after=after):
        yield from page
        after = page[-1].number


def head(connection: Connection) -> str:
    """The hash of the last row of the log."""
    import sqlalchemy

    return str(connection.execute(sqlalchemy.select(tables().state.c.head)).scalar_one())


def _rows(connection: Connection, versions: Sequence[Row[Any]]) -> list[str]:
    """Numbers without a gap, aliases that name what is there, JSON that can be read."""
    import sqlalchemy

    found = []
    there = {(row.name, row.number) for row in versions if not row.deleted}
    for model in connection.execute(sqlalchemy.select(tables().models)):
        numbers = sorted(row.number for row in versions if row.name == model.name)
        if numbers != list(range(1, model.next)):
            found.append(f"the numbers of {model.name} are not 1 to {model.next - 1}: {_short(numbers)}")
        if model.traffic is not None:
            json.loads(model.traffic)
    for held in rows.aliases(connection):
        if (held.name, held.number) not in there:
            found.append(f"'{held.alias}' of {held.name} names version {held.number}, which is not there")
        json.loads(held.past)
    for row in versions:
        json.loads(row.facts)
    return found


def _replayed(connection: Connection, versions: Sequence[Row[Any]], entries: Sequence[log.Entry]) -> list[str]:
    """What the log says must be so is so."""
    import sqlalchemy

    seals: dict[tuple[str, int], str] = {}
    called: dict[tuple[str, str], int] = {}
    traffic: dict[str, Any] = {}
    gone = set()
    for entry in entries:
        facts = entry.facts
        if entry.what == "register":
            seals[entry.name, facts["number"]] = facts["seal"]
        elif entry.what in ("promote", "rollback"):
            called[entry.name, facts["alias"]] = facts["number"]
        elif entry.what == "unalias":
            called.pop((entry.name, facts["alias"]), None)
        elif entry.what == "delete":
            gone.add((entry.name, facts["number"]))
        elif entry.what == "traffic":
            traffic[entry.name] = facts["traffic"]
    models = connection.execute(sqlalchemy.select(tables().models)).all()
    pairs = (
        ("versions", {(row.name, row.number): row.seal for row in versions}, seals),
        ("deleted versions", {(row.name, row.number) for row in versions if row.deleted}, gone),
        ("aliases", {(row.name, row.alias): row.number for row in rows.aliases(connection)}, called),
        (
            "traffic",
            {row.name: json.loads(row.traffic) for row in models if row.traffic},
            {name: value for name, value in traffic.items() if value is not None},
        ),
    )
    return [f"the {what} are not those that the log tells of" for what, mine, told in pairs if mine != told]


def _files(registry: Registry, needed: Sequence[Row[Any]], tell: Tell) -> list[str]:
    found = []
    for place, row in enumerate(needed):
        tell(Event("progress", "files", {"done": place, "total": len(needed)}))
        path = registry.blobs.where(row.address)
        if not registry.blobs.has(row.address):
            found.append(f"the file of {row.name} {row.number} is gone: {path}")
        elif not registry.blobs.sound(row.address):
            found.append(f"the file of {row.name} {row.number} is damaged: {path}")
        elif registry.blobs.size(row.address) != row.size:
            found.append(f"the row of {row.name} {row.number} says {row.size:,} bytes: its file has another size")
    return found


def _short(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
