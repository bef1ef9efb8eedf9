"""What a registry keeps, as tables that SQLite and PostgreSQL share."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sightline.core.schema import Schema, Step

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

_KEPT = "a row of the log is never changed"
_ONCE = "CREATE UNIQUE INDEX registry_versions_once ON registry_versions (name, seal) WHERE deleted = ''"
_REFUSE, _DO = f"RAISE EXCEPTION '{_KEPT}'", "FOR EACH STATEMENT EXECUTE FUNCTION registry_log_kept()"


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables, in the order in which their rows may be copied."""

    models: Table
    versions: Table
    aliases: Table
    log: Table
    state: Table

    @property
    def every(self) -> tuple[Table, ...]:
        return (self.models, self.versions, self.aliases, self.log, self.state)


@functools.cache
def tables() -> Tables:
    """The tables as this release reads them."""
    import sqlalchemy

    return _declared(sqlalchemy.MetaData())


def _declared(meta: MetaData) -> Tables:
    from sqlalchemy import (
        BigInteger,
        CheckConstraint,
        Column,
        ForeignKey,
        ForeignKeyConstraint,
        Integer,
        Table,
        Text,
    )

    models = Table(
        "registry_models",
        meta,
        Column("name", Text, primary_key=True),
        Column("next", Integer, nullable=False),  # the number of the next version: counted up, never down
        Column("traffic", Text),  # JSON, as the service reads it
    )
    versions = Table(
        "registry_versions",
        meta,
        Column("name", Text, ForeignKey(models.c.name), primary_key=True),
        Column("number", Integer, CheckConstraint("number > 0"), primary_key=True, autoincrement=False),
        Column("seal", Text, nullable=False),  # of the bundle
        Column("address", Text, nullable=False),  # of its file
        Column("size", BigInteger, nullable=False),
        Column("created", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("facts", Text, nullable=False),  # JSON: task, figures and lineage
        Column("deleted", Text, nullable=False),  # when; the row stays, so that its number is never given again
    )
    aliases = Table(
        "registry_aliases",
        meta,
        Column("name", Text, primary_key=True),
        Column("alias", Text, primary_key=True),
        Column("number", Integer, nullable=False),
        Column("past", Text, nullable=False),  # JSON: the numbers that it named before, the last one last
        ForeignKeyConstraint(["name", "number"], ["registry_versions.name", "registry_versions.number"]),
    )
    log = Table(
        "registry_log",
        meta,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("at", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("facts", Text, nullable=False),  # JSON
        Column("hash", Text, nullable=False),  # of this row and of the hash of the row before
    )
    state = Table(
        "registry_state",
        meta,
        Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        Column("changed", BigInteger, nullable=False),
        Column("head", Text, nullable=False),  # the hash of the last row of the log
    )
    return Tables(models, versions, aliases, log, state)


def _first(connection: Connection) -> None:
    """Frozen with its release: a later change is a step of its own, and changes `_declared`."""
    import sqlalchemy

    meta = sqlalchemy.MetaData()
    made = _declared(meta)
    meta.create_all(connection)
    connection.execute(made.state.insert().values(id=1, changed=0, head=""))
    for statement in (_ONCE, *_guards(connection.dialect.name)):
        connection.exec_driver_sql(statement)


def _guards(kind: str) -> list[str]:
    """What keeps rows of the log from being changed or taken away by a mistake in any program."""
    if kind == "sqlite":
        return [
            f"CREATE TRIGGER registry_log_no_{what.lower()} BEFORE {what} ON registry_log "
            f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
            for what in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION registry_log_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_REFUSE}; END $$",
        f"CREATE TRIGGER registry_log_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_log {_DO}",
    ]


def _undone(connection: Connection) -> None:
    import sqlalchemy

    meta = sqlalchemy.MetaData()
    _declared(meta)
    meta.drop_all(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION registry_log_kept")


SCHEMA = Schema("registry", (Step("models, versions, aliases and the log", _first, _undone),))
