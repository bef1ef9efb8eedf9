"""One database that several processes share: SQLite in a file, or PostgreSQL by its URL; one text serves both.

    with open_database("registry/registry.db", schema) as database:
        with database.write() as connection:      # one writer at a time: what is read here is still so at the end
            connection.execute(table.insert().values(name="parts"))
        with database.read() as connection:       # one moment: no later write is seen, none is waited for
            rows = connection.execute(sqlalchemy.select(table)).all()

A transaction is durable when its block has ended without an error, and never happened otherwise.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from sightline.core.errors import StorageError
from sightline.core.extras import need
from sightline.core.files import make_folder, sync_folder
from sightline.core.schema import PATIENCE, Schema, hold, migrate

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

Synchronous = Literal["FULL", "NORMAL"]  # FULL: acknowledged survives a power loss; NORMAL: it survives any kill
_FORKING = 5.0  # seconds that a fork waits for transactions of other threads
_URLS = ("postgresql://", "postgres://")


class Database:
    """An open database: safe to share between threads, and still sound in a process that was forked."""

    def __init__(self, place: str, component: str, make: Callable[[], Engine], *, slack: bool) -> None:
        self.place, self.component, self.slack = place, component, slack
        self._make, self._engine = make, make()
        self.kind: str = self._engine.dialect.name  # sqlite or postgresql
        self._fresh()
        _watch(self)

    def _fresh(self) -> None:
        self._gate = threading.Condition()
        self._inside: list[int] = []  # the threads that are in a transaction
        self._turn = threading.Lock()  # held by the writer of this process, so that others queue rather than poll

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection; one that is in use ends with its transaction."""
        with _told(self.place):
            self._engine.dispose()

    @contextlib.contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Connection]:
        """A transaction that may write; `alone=False` lets PostgreSQL run several at once (SQLite never does)."""
        with _told(self.place), self._counted(), self._queued(), self._connected() as connection:
            if self.kind == "sqlite":
                _begin_immediate(connection)
            else:
                if self.slack:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                if alone:
                    hold(connection, self.component)
            yield connection
            connection.commit()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment, and cannot write."""
        with _told(self.place), self._counted(), self._connected() as connection:
            if self.kind == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only=ON")
                connection.exec_driver_sql("BEGIN")
            else:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection
            connection.rollback()

    def problems(self) -> list[str]:
        """What SQLite finds wrong with its own pages and references; [] where all is well."""
        if self.kind != "sqlite":
            return []  # a server watches over its own files
        try:
            with self.read() as connection:
                said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
                broken = [tuple(row) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
        except StorageError as error:
            return [error.message]
        wrong = [line for line in said if line != "ok"]
        return wrong + [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is gone" for row in broken]

    def copy(self, to: Path) -> None:
        """This moment of an SQLite database as a file of its own, durable when it returns; others go on writing."""
        with _told(self.place), self._counted(), self._connected() as connection:
            if self.kind != "sqlite":
                raise ValueError("only SQLite is copied as a file")
            source: Any = connection.connection.driver_connection
            with contextlib.closing(sqlite3.connect(to, isolation_level=None)) as target:
                source.backup(target)  # all pages in one step, so that no writer can make it begin again
                target.execute("PRAGMA journal_mode=DELETE")
        with to.open("rb+") as file:
            os.fsync(file.fileno())
        sync_folder(to.parent)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        import sqlalchemy.exc

        engine, pool = self._engine, self._engine.pool
        try:
            connection = engine.connect()
        except sqlalchemy.exc.DBAPIError as error:
            raise StorageError(f"{self.place}: {_reason(error)}") from error
        try:
            with connection:
                yield connection
        finally:
            if engine.pool is not pool:  # it was let go meanwhile, so that nobody takes this connection any more
                pool.dispose()

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        me = threading.get_ident()
        with self._gate:
            self._inside.append(me)
        try:
            yield
        finally:
            with self._gate:
                self._inside.remove(me)
                self._gate.notify_all()

    @contextlib.contextmanager
    def _queued(self) -> Iterator[None]:
        if self.kind != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=PATIENCE):
            raise StorageError(f"{self.place} is busy: another thread has been writing for {PATIENCE:.0f} seconds.")
        try:
            yield
        finally:
            self._turn.release()

    def _rest(self) -> None:
        """Before a fork: no transaction of another thread is open, and no connection (a child must inherit none)."""
        me = threading.get_ident()
        self._gate.acquire()
        self._gate.wait_for(lambda: all(one == me for one in self._inside), timeout=_FORKING)
        self._engine.dispose()

    def _parent(self) -> None:
        self._gate.release()

    def _child(self) -> None:
        if self._inside:  # someone forked within a transaction: its connection is the parent's and is never touched
            _INHERITED.append(self._engine)
        self._fresh()
        self._engine = self._make()


def open_database(
    place: str | Path, schema: Schema, *, synchronous: Synchronous = "FULL", create: bool = True
) -> Database:
    """Open the file, or the URL `postgresql://user:password@host/name`, and bring the schema's tables up to date."""
    need("sqlalchemy")
    url = str(place).startswith(_URLS)
    if not url and not create and not Path(place).is_file():
        raise StorageError(f"there is no database at {place}.")
    shown, make = _postgresql(str(place)) if url else _sqlite(Path(place), synchronous)
    with _told(shown):
        database = Database(shown, schema.component, make, slack=synchronous == "NORMAL")
    try:
        migrate(database, schema)
    except BaseException:
        with contextlib.suppress(StorageError):
            database.close()
        raise
    return database


def _begin_immediate(connection: Connection) -> None:
    """Be the writer from the start: a transaction that turned into one later could be refused after its work."""
    import sqlalchemy.exc

    until = time.monotonic() + PATIENCE
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except sqlalchemy.exc.OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > until:
                raise
        else:
            return


def _sqlite(path: Path, synchronous: Synchronous) -> tuple[str, Callable[[], Engine]]:
    import sqlalchemy

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            for name in (f"synchronous={synchronous}", "foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON"):
                connection.execute(f"PRAGMA {name}")
            _write_ahead(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def make() -> Engine:
        pool = sqlalchemy.QueuePool
        return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=pool, max_overflow=-1)

    try:
        make_folder(path.parent)  # SQLite syncs the folder of its files, and not what holds that
    except OSError as error:
        raise StorageError(f"could not make {path.parent}: {error.strerror}.") from error
    return str(path), make


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once; the switch itself does not wait for others, so it is asked for until it holds."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                return
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.005)


def _postgresql(text: str) -> tuple[str, Callable[[], Engine]]:
    import sqlalchemy

    need("pg8000")
    try:
        url: URL = sqlalchemy.make_url(text).set(drivername="postgresql+pg8000")
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise StorageError("the URL of the database cannot be read: postgresql://user:password@host/name.") from error
    folder = url.query.get("host")  # as libpq spells a socket
    if isinstance(folder, str) and folder.startswith("/"):
        socket = f"{folder}/.s.PGSQL.{url.query.get('port') or url.port or 5432}"
        url = url.difference_update_query(("host", "port")).update_query_dict({"unix_sock": socket})
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # what it logs of lost servers, `_told` raises
    shown = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
    return shown, lambda: sqlalchemy.create_engine(url, pool_pre_ping=True, max_overflow=-1)


@contextlib.contextmanager
def _told(place: str) -> Iterator[None]:
    """What a disk, a server or a damaged file refuses, in one line; our own mistakes keep their traceback."""
    import sqlalchemy.exc as refused

    try:
        yield
    except refused.TimeoutError as error:
        raise StorageError(f"{place}: no connection was free in time. Ask again.") from error
    except ConnectionError as error:  # pg8000 lets some through
        raise StorageError(f"{place}: {_reason(error)}") from error
    except (refused.DBAPIError, sqlite3.Error) as error:
        state = _fields(error).get("C", "")  # what pg8000 raises has one class for nearly everything
        mistaken = (refused.IntegrityError, refused.ProgrammingError, refused.DataError, refused.NotSupportedError)
        if state[:2] not in _SERVER and isinstance(error, mistaken):
            raise
        raise StorageError(f"{place}: {_reason(error)}") from error


def _fields(error: Exception) -> Mapping[str, str]:
    """What a server says of an error, by letter."""
    cause = getattr(error, "orig", None) or error
    return cause.args[0] if cause.args and isinstance(cause.args[0], Mapping) else {}


def _reason(error: Exception) -> str:
    text = str(_fields(error).get("M") or getattr(error, "orig", None) or error).rstrip(".")
    return f"{text}. {next((advice for word, advice in _ADVICE.items() if word in text), '')}".rstrip()


_SERVER = ("08", "40", "53", "55", "57", "58")  # SQLSTATE: lost, undone, full, held, shutting down, failing
_ADVICE = {
    "locked": f"Others have been writing for more than {PATIENCE:.0f} seconds; run the same command again.",
    "not a database": "Name another file.",
    "malformed": "It is damaged: restore a backup.",
    "full": "Free some space and run the same command again.",
    "readonly": "It may only be read by you: check its permissions.",
    "unable to open": "Check that its folder exists and may be written.",
    "lock timeout": f"Others have been writing for more than {PATIENCE:.0f} seconds; run the same command again.",
    "network error": "The server went away; what was acknowledged is there. Run the same command again.",
    "communication error": "The server went away; what was acknowledged is there. Run the same command again.",
    "Broken pipe": "The server went away; what was acknowledged is there. Run the same command again.",
    "create a connection": "Is the server running, and does it listen there?",
}
_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()
_INHERITED: list[Any] = []
_HOOKED: list[bool] = []


def _watch(database: Database) -> None:
    """See that no connection is shared with a forked child: neither SQLite nor a server's protocol survives that."""
    _OPEN.add(database)
    if not _HOOKED and hasattr(os, "register_at_fork"):
        _HOOKED.append(True)
        resting: list[Database] = []

        def before() -> None:
            resting[:] = sorted(_OPEN, key=id)
            for one in resting:
                one._rest()

        def after(child: bool) -> None:
            for one in resting:
                one._child() if child else one._parent()
            resting.clear()

        os.register_at_fork(before=before, after_in_parent=lambda: after(False), after_in_child=lambda: after(True))
