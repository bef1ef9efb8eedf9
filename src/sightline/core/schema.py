"""The tables of a database as steps: each is taken once, whole or not at all, by whichever process comes first.

    SCHEMA = Schema("jobs", (Step("jobs and their items", first), Step("a column for the reason", second, back)))

A step takes a connection and executes what it has to. What is released never changes: what comes later is another step.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sightline.core.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sightline.core.database import Database

PATIENCE = 60.0  # seconds that a transaction waits for others
LEDGER = "sightline_steps"  # which steps have been taken


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tables, and the way back where there is one."""

    name: str
    up: Callable[[Connection], object]
    down: Callable[[Connection], object] | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """What one component keeps; several components may share a database, so each puts its name before its tables."""

    component: str
    steps: tuple[Step, ...]


def migrate(database: Database, schema: Schema, to: int | None = None) -> list[str]:
    """Take the steps that are missing, or those back down to step `to`; each is whole or has not been taken.

    Any number of processes may do this at once. Answers the names of the steps that this one took.
    """
    target = len(schema.steps) if to is None else to
    taken: list[str] = []
    while True:
        with database.read() as connection:
            if _done(connection, database, schema) == target:
                return taken
        with database.write() as connection:
            hold(connection, LEDGER)
            _make_ledger(connection, database)
            here = _done(connection, database, schema)
            if here == target:
                return taken
            taken.append(_take(connection, database, schema, here, up=here < target))


def hold(connection: Connection, word: str) -> None:
    """Be the only transaction that holds this word, until it ends; SQLite's writer is alone anyway."""
    if connection.dialect.name == "sqlite":
        return
    key = int.from_bytes(hashlib.sha256(f"sightline {word}".encode()).digest()[:8], "big", signed=True)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {PATIENCE * 1000:.0f}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({key})")


def _take(connection: Connection, database: Database, schema: Schema, here: int, *, up: bool) -> str:
    """One step from where the tables are, and its line in the ledger, in the transaction of the caller."""
    import sqlalchemy

    step = schema.steps[here if up else here - 1]
    row = {"component": schema.component, "number": here + up, "name": step.name}
    if up:
        step.up(connection)
        text = f"INSERT INTO {LEDGER} VALUES (:component, :number, :name, :taken)"  # noqa: S608
        row["taken"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    elif step.down is None:
        raise StorageError(f"{database.place}: there is no way back from step '{step.name}'.")
    else:
        step.down(connection)
        text = f"DELETE FROM {LEDGER} WHERE component = :component AND number = :number"  # noqa: S608
    connection.execute(sqlalchemy.text(text), row)
    return step.name


def _done(connection: Connection, database: Database, schema: Schema) -> int:
    """How many steps have been taken; a database that a newer release wrote is refused."""
    import sqlalchemy

    if not sqlalchemy.inspect(connection).has_table(LEDGER):
        return 0
    text = f"SELECT number, name FROM {LEDGER} WHERE component = :component ORDER BY number"  # noqa: S608
    rows = connection.execute(sqlalchemy.text(text), {"component": schema.component}).all()
    for number, name in rows:
        if number > len(schema.steps) or schema.steps[number - 1].name != name:
            raise StorageError(
                f"{database.place} was written by a newer sightline: step {number} of its {schema.component}, "
                f"'{name}', is not known here. Upgrade sightline, or name another place."
            )
    return len(rows)


def _make_ledger(connection: Connection, database: Database) -> None:
    import sqlalchemy

    inspector = sqlalchemy.inspect(connection)
    if inspector.has_table(LEDGER):
        return
    if database.kind == "sqlite" and inspector.get_table_names():
        raise StorageError(f"{database.place} is a database of something else; nothing was changed. Name another file.")
    connection.exec_driver_sql(
        f"CREATE TABLE {LEDGER} (component TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, "
        "taken TEXT NOT NULL, PRIMARY KEY (component, number))"
    )
