"""A registry as a folder of its own, and a registry from such a folder: whichever database either of them has."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sightline
from sightline.core.blobs import Blobs
from sightline.core.database import Database, open_database
from sightline.core.errors import RegistryError, StorageError
from sightline.core.files import canonical, naming, sync_folder, write_durably
from sightline.core.progress import Event, Tell, silent
from sightline.registering import log, rows, upkeep
from sightline.registering.tables import SCHEMA, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sightline.registering.registry import Registry

DATABASE, NOTES = "registry.db", "backup.json"
_TURNS = 20  # a file may be given up and collected while it is copied: then another moment is taken


@dataclass(frozen=True, slots=True)
class Backup:
    """Where it is, and what it holds."""

    path: Path
    versions: int
    size: int  # bytes of bundles
    rows: dict[str, int]
    head: str  # of the log

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}


class _Gone(Exception):
    """A file of the moment that was copied is not there any more."""


def backup(registry: Registry, to: Path, tell: Tell = silent) -> Backup:
    """One moment of the rows, then the files that they need; the folder has its name when all of it is durable."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise RegistryError(f"{to} exists already. Name a folder that does not: a backup is never written over.")
    with naming(to, 0):
        to.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(_TURNS):
        with naming(to, 0):
            partial = Path(tempfile.mkdtemp(prefix=f".{to.name}.", suffix=".partial", dir=to.parent))
        try:
            made = _moment(registry, partial, to, tell)
            with naming(to, made.size):
                if to.exists():
                    to.rmdir()
                partial.rename(to)
                sync_folder(to.parent)
            return made
        except _Gone:
            continue
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    raise StorageError(f"files were taken away {_TURNS} times while they were copied. Run the same command again.")


def _moment(registry: Registry, partial: Path, to: Path, tell: Tell) -> Backup:
    if registry.database.kind == "sqlite":
        registry.database.copy(partial / DATABASE)
    else:
        with open_database(partial / DATABASE, SCHEMA) as target, registry.database.read() as source:
            _pour(source, target)
    with open_database(partial / DATABASE, SCHEMA) as database, database.read() as connection:
        kept = rows.listed(connection)
        needed = {row.address: row for row in kept}
        counts = _counts(connection)
        head = upkeep.head(connection)
    _carry(registry.blobs, Blobs(partial / "blobs", registry.blobs.suffix), sorted(needed), tell)
    size = sum(row.size for row in needed.values())
    made = Backup(to, len(kept), size, counts, head)
    notes = {**made.to_json(), "path": "", "created": log.now(), "sightline": sightline.__version__}
    write_durably(partial / NOTES, canonical(notes))
    return made


def restore(registry: Registry, source: Path, tell: Tell = silent) -> Backup:
    """Check a backup, copy its files, then all of its rows in one transaction: empty before, whole after."""
    try:
        notes = json.loads((source / NOTES).read_bytes())
    except (OSError, ValueError) as error:
        raise RegistryError(f"{source} is no backup: it has no {NOTES} that can be read.") from error
    if registry.names() or registry.log(most=1):
        raise RegistryError(f"{registry.database.place} holds models already. Restore into a place that holds none.")
    with tempfile.TemporaryDirectory(prefix="sightline-restore-") as folder:
        copied = Path(folder) / DATABASE  # opening a database may bring it up to date, and a backup is never changed
        with naming(copied, 0):
            shutil.copyfile(source / DATABASE, copied)
        try:
            database = open_database(copied, SCHEMA, create=False)
        except StorageError as error:
            raise RegistryError(f"{source} is damaged, so nothing was restored: {error.message}") from error
        with database:
            blobs = Blobs(source / "blobs", registry.blobs.suffix)
            _checked(registry, database, blobs, source, notes)
            with database.read() as connection:
                kept = rows.listed(connection)
                needed = {row.address: row for row in kept}
                _carry(blobs, registry.blobs, sorted(needed), tell)
                counts, head = _counts(connection), upkeep.head(connection)

                def again() -> None:
                    _carry(blobs, registry.blobs, [one for one in needed if not registry.blobs.has(one)], silent)

                _pour(connection, registry.database, registry.who, again)
    size = sum(row.size for row in needed.values())
    return Backup(source, len(kept), size, counts, head)


def _checked(registry: Registry, database: Database, blobs: Blobs, source: Path, notes: dict[str, Any]) -> None:
    from sightline.registering.registry import Registry

    found = Registry(database, blobs, registry.who).fsck()
    problems = list(found.problems)
    if found.head != notes.get("head"):
        problems.append(f"its log is not the one that {NOTES} tells of")
    if problems:
        raise RegistryError(f"{source} is damaged, so nothing was restored: {'; '.join(problems[:3])}.")


def _carry(source: Blobs, target: Blobs, addresses: Iterable[str], tell: Tell) -> None:
    wanted = list(addresses)
    for place, address in enumerate(wanted):
        tell(Event("progress", "files", {"done": place, "total": len(wanted)}))
        try:
            data = source.read(address)
        except StorageError:
            if source.has(address):
                raise
            raise _Gone from None
        target.put(data, settle=False)
    target.settle()


def _pour(source: Connection, target: Database, who: str = "", first: Callable[[], None] = lambda: None) -> None:
    """Every row of one moment into tables that hold none; `first` is done when no collection can come between."""
    import sqlalchemy

    with target.write() as connection:
        if connection.execute(sqlalchemy.select(tables().log.c.number).limit(1)).first() is not None:
            raise RegistryError(f"{target.place} holds models already. Restore into a place that holds none.")
        first()
        before = connection.execute(sqlalchemy.select(tables().state.c.changed)).scalar_one()
        connection.execute(tables().state.delete())
        for table in tables().every:
            found = [dict(row._mapping) for row in source.execute(sqlalchemy.select(table))]
            for start in range(0, len(found), 500):
                connection.execute(table.insert(), found[start : start + 500])
        if who:
            state = tables().state
            connection.execute(state.update().values(changed=state.c.changed + before + 1))
            log.append(connection, who, "restored", "", {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})


def _counts(connection: Connection) -> dict[str, int]:
    import sqlalchemy

    return {
        table.name: int(connection.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)).scalar_one())
        for table in tables().every
    }
