"""Who did what, and when: rows that are only added to, each holding the hash of the one before."""

from __future__ import annotations

import datetime
import getpass
import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sightline.core.files import canonical, digest
from sightline.registering.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

PAGE = 1000  # rows that are read at a time


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    number: int
    at: str  # ISO 8601, UTC
    who: str
    what: str  # register, promote, rollback, traffic …
    name: str  # of the model
    facts: Mapping[str, Any]
    hash: str

    def sealed(self, before: str) -> str:
        """The hash that this row has after a row with that hash."""
        plain = {**asdict(self), "facts": dict(self.facts), "before": before}
        return digest(canonical({key: value for key, value in plain.items() if key != "hash"}))


def now() -> str:
    """This second, as rows spell it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def oneself() -> str:
    """Who runs this process, on which machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in many containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


def append(connection: Connection, who: str, what: str, name: str, facts: Mapping[str, Any]) -> Entry:
    """Add a row in the transaction of the change that it tells of, and count the change."""
    import sqlalchemy

    log, state = tables().log, tables().state
    last = connection.execute(sqlalchemy.select(sqlalchemy.func.max(log.c.number))).scalar() or 0
    before = connection.execute(sqlalchemy.select(state.c.head)).scalar_one()
    kept = json.loads(canonical(dict(facts)))
    entry = Entry(last + 1, now(), who, what, name, kept, "")
    entry = Entry(last + 1, entry.at, who, what, name, kept, entry.sealed(before))
    row = {**asdict(entry), "facts": json.dumps(kept, sort_keys=True, ensure_ascii=False)}
    connection.execute(log.insert().values(**row))
    connection.execute(state.update().values(changed=state.c.changed + 1, head=entry.hash))
    return entry


def read(connection: Connection, *, after: int = 0, most: int = PAGE, name: str | None = None) -> list[Entry]:
    """The rows after one, the oldest first."""
    import sqlalchemy

    log = tables().log
    wanted = sqlalchemy.select(log).where(log.c.number > after).order_by(log.c.number).limit(most)
    rows = connection.execute(wanted if name is None else wanted.where(log.c.name == name))
    return [_entry(row) for row in rows]


def problems(entries: Iterable[Entry], head: str) -> list[str]:
    """Where the chain breaks: rows that are missing, were changed, or were cut off at the end."""
    before, count = "", 0
    for count, entry in enumerate(entries, 1):
        if entry.number != count:
            return [f"the log jumps from row {count - 1} to row {entry.number}: rows were taken out"]
        if entry.sealed(before) != entry.hash:
            return [f"row {entry.number} of the log ({entry.what} {entry.name}) was changed after it was written"]
        before = entry.hash
    if before != head:
        return [f"the log ends at row {count}, but later rows were written: its end was cut off"]
    return []


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.number, row.at, row.who, row.what, row.name, json.loads(row.facts), row.hash)
