"""A registry: bundles under names and numbers, what they are called now, and everything that was ever done to that.

registry = open_registry()                       # `registry/` in the working folder
registry.register("parts", "runs/parts-1/bundle")
registry.promote("parts", 2)                     # one row changes: every reader sees the old one or the new one
registry.rollback("parts")
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sightline.core.blobs import Blobs
from sightline.core.database import Database, open_database
from sightline.core.errors import RegistryError
from sightline.core.files import canonical
from sightline.core.progress import Event, Tell, silent
from sightline.core.stores import Store
from sightline.registering import backup as backups
from sightline.registering import log, rows, upkeep
from sightline.registering.packing import Packed, packed
from sightline.registering.tables import SCHEMA, tables
from sightline.registering.version import CHAMPION, Version

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

PLACE, BLOBS = "SIGHTLINE_REGISTRY", "SIGHTLINE_BLOBS"  # of the environment
HOUR, SUFFIX = 3600.0, ".sightline"


def open_registry(
    place: str | Path | None = None, *, create: bool = True, blobs: str | Path | None = None, who: str = ""
) -> Registry:
    """The registry of a folder, or of a `postgresql://` URL; its bundles in `blobs`, a folder or an `s3://` URL."""
    where = str(place or os.environ.get(PLACE) or "registry")
    url = where.startswith(("postgresql://", "postgres://"))
    bundles = str(blobs or os.environ.get(BLOBS) or ("registry" if url else where) + "/blobs")
    file = Path(where) / "registry.db"
    if not url and not create and not file.is_file():
        raise RegistryError(f"there is no registry at {where}. Make one by registering a model: sightline register RUN")
    kept = Store(bundles, SUFFIX) if "://" in bundles else Blobs(Path(bundles).absolute(), SUFFIX)
    return Registry(open_database(where if url else file, SCHEMA, create=create), kept, who or log.oneself())


class Registry:
    """The models of one place: a `Source` for services, and all that changes it. Safe to share between threads."""

    def __init__(self, database: Database, blobs: Blobs, who: str) -> None:
        self.database, self.blobs, self.who = database, blobs, who

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def acting(self, who: str) -> Registry:
        """The same registry, with another name in the log: that of whoever asked a service for a change."""
        other = copy.copy(self)
        other.who = who
        return other

    # ------------------------------------------------------------------------------------------------- what is there

    def names(self) -> list[str]:
        """Every model that has a version."""
        with self.database.read() as connection:
            return rows.names(connection)

    def version(self, name: str, which: int | str = CHAMPION) -> Version:
        """One version, by number, by alias, or the `latest`."""
        with self.database.read() as connection:
            found = rows.find(connection, name, which)
        return self._whole(found)

    def versions(self, name: str | None = None, *, deleted: bool = False) -> list[Version]:
        """Every version of a model, or of all, the oldest first."""
        with self.database.read() as connection:
            if name is not None:
                rows.known(connection, name)
            return [rows.as_version(row, self.blobs) for row in rows.listed(connection, name, deleted=deleted)]

    def aliases(self, name: str) -> dict[str, int]:
        """What the numbers of a model are called now."""
        with self.database.read() as connection:
            rows.known(connection, name)
            return {row.alias: row.number for row in rows.aliases(connection, name)}

    def traffic(self, name: str) -> Mapping[str, Any] | None:
        """How requests are shared between versions; None: the champion answers all."""
        with self.database.read() as connection:
            plain = rows.known(connection, name).traffic
        return None if plain is None else dict(json.loads(plain))

    def changed(self) -> int:
        """A number that grows with every change."""
        import sqlalchemy

        with self.database.read() as connection:
            return int(connection.execute(sqlalchemy.select(tables().state.c.changed)).scalar_one())

    def log(self, name: str | None = None, *, after: int = 0, most: int = log.PAGE) -> list[log.Entry]:
        """Who did what, the oldest first; `after` the number of the last row seen."""
        with self.database.read() as connection:
            return log.read(connection, after=after, most=most, name=name)

    # ------------------------------------------------------------------------------------------------- what changes it

    def register(
        self, name: str, bundle: str | Path, *, alias: str | None = None, note: str = "", tell: Tell = silent
    ) -> Version:
        """Verify a bundle, keep it and number it; equal content is the version that it was before.

        The first version of a model becomes its champion; later ones only where `alias` says so.
        """
        rows.check_name(name)
        if alias is not None:
            rows.check_alias(alias)
        return self.keep(name, packed(bundle), alias=alias, note=note, tell=tell)

    def keep(
        self, name: str, given: Packed, *, alias: str | None = None, note: str = "", tell: Tell = silent
    ) -> Version:
        """Register what has been packed already."""
        self.blobs.put(given.data)
        said: list[Event] = []
        with self.database.write() as connection:
            if not self.blobs.has(given.address):  # a collection may have come between; from here on it waits
                self.blobs.put(given.data)
            found = rows.same(connection, name, given.seal)
            if found is None:
                number = rows.add(connection, name, given, note)
                facts = {"number": number, "seal": given.seal, "address": given.address, "note": note}
                log.append(connection, self.who, "register", name, facts)
                said.append(_event(f"{name} {number} is registered", name, number, new=True))
            else:
                number = found.number
                said.append(_event(f"the same bundle is {name} {number} already: nothing new", name, number, new=False))
                if note and note != found.note:
                    self._note(connection, name, number, note)
            named = {row.alias for row in rows.aliases(connection, name)}
            wanted = [] if alias is None else [alias]
            if CHAMPION not in {*named, *wanted}:
                wanted.append(CHAMPION)
                said.append(_event(f"{name} {number} is the {CHAMPION}: it is the first", name, number, alias=CHAMPION))
            for word in wanted:
                self._promote(connection, name, number, word)
            version = rows.as_version(rows.find(connection, name, number), self.blobs)
        for event in said:
            tell(event)
        return version

    def promote(self, name: str, which: int | str, alias: str = CHAMPION) -> Version:
        """Let an alias name this version; what it named before is remembered for `rollback`."""
        rows.check_alias(alias)
        with self.database.write() as connection:
            version = self._whole(rows.find(connection, name, which))
            self._promote(connection, name, version.number, alias)
        return version

    def rollback(self, name: str, alias: str = CHAMPION) -> Version:
        """Let an alias name what it named before; once more goes further back."""
        with self.database.write() as connection:
            held = rows.alias(connection, name, alias)
            there = {row.number for row in rows.listed(connection, name)}
            past = json.loads(held.past)
            while past and past[-1] not in there:  # those that were deleted since
                past.pop()
            if not past:
                raise RegistryError(
                    f"'{alias}' of {name} named nothing before {held.number} that is still there, so there is no way "
                    f"back. Choose a version: sightline promote {name} NUMBER"
                )
            number = past.pop()
            rows.set_alias(connection, name, alias, number, past)
            facts = {"alias": alias, "number": number, "before": held.number}
            log.append(connection, self.who, "rollback", name, facts)
            return self._whole(rows.find(connection, name, number))

    def unalias(self, name: str, alias: str) -> None:
        """Let an alias name nothing; a champion is replaced, never taken away."""
        if alias == CHAMPION:
            raise RegistryError(f"{name} needs a {CHAMPION}. Promote another version instead.")
        with self.database.write() as connection:
            held = rows.alias(connection, name, alias)
            if rows.in_traffic(rows.known(connection, name).traffic, alias):
                raise RegistryError(f"requests are shared with the {alias} of {name}. Change its traffic first.")
            rows.drop_alias(connection, name, alias)
            log.append(connection, self.who, "unalias", name, {"alias": alias, "before": held.number})

    def set_traffic(self, name: str, traffic: Mapping[str, Any] | None) -> None:
        """Share requests between versions, as `serving.arms` reads it; None: the champion answers all."""
        plain = None if traffic is None else json.loads(canonical(dict(traffic)))
        with self.database.write() as connection:
            rows.known(connection, name)
            rows.set_traffic(connection, name, plain)
            log.append(connection, self.who, "traffic", name, {"traffic": plain})

    def note(self, name: str, which: int | str, note: str) -> Version:
        """Say something of a version."""
        with self.database.write() as connection:
            number = rows.find(connection, name, which).number
            self._note(connection, name, number, note)
            return rows.as_version(rows.find(connection, name, number), self.blobs)

    def delete(self, name: str, which: int | str) -> Version:
        """Give a version up, which no alias and no traffic may name; a collection frees its bytes an hour later."""
        with self.database.write() as connection:
            found = rows.find(connection, name, which)
            holders = [row.alias for row in rows.aliases(connection, name) if row.number == found.number]
            if holders:
                raise RegistryError(
                    f"{name} {found.number} is its {' and '.join(holders)}, so it is not deleted. "
                    f"Promote another version first: sightline promote {name} NUMBER --alias {holders[0]}"
                )
            if rows.in_traffic(rows.known(connection, name).traffic, str(found.number)):
                raise RegistryError(f"requests are shared with {name} {found.number}. Change its traffic first.")
            rows.mark_deleted(connection, name, found.number, log.now())
            log.append(connection, self.who, "delete", name, {"number": found.number})
        return rows.as_version(found, self.blobs)

    def _whole(self, row: Row[Any]) -> Version:
        """A version whose file is there; whether it is right is seen when it is loaded."""
        if self.blobs.bring(row.address) is None:
            raise RegistryError(
                f"the bundle of {row.name} {row.number} is not at {self.blobs.where(row.address)}. Restore a backup, "
                f"or name the folder or the store that all machines share with {BLOBS}."
            )
        return rows.as_version(row, self.blobs)

    def _promote(self, connection: Connection, name: str, number: int, alias: str) -> None:
        held = next((row for row in rows.aliases(connection, name) if row.alias == alias), None)
        if held is not None and held.number == number:
            return
        before = None if held is None else held.number
        past = [] if held is None else [*json.loads(held.past), held.number]
        rows.set_alias(connection, name, alias, number, past)
        log.append(connection, self.who, "promote", name, {"alias": alias, "number": number, "before": before})

    def _note(self, connection: Connection, name: str, number: int, note: str) -> None:
        rows.set_note(connection, name, number, note)
        log.append(connection, self.who, "note", name, {"number": number, "note": note})

    # --------------------------------------------------------------------------------------------------------- upkeep

    def gc(self, grace: float = HOUR) -> upkeep.Collected:
        """Take away files that no version needs, if they have lain untouched for `grace` seconds."""
        return upkeep.gc(self, grace)

    def fsck(self, tell: Tell = silent, *, noted: str = "") -> upkeep.Checked:
        """Check every page, row, file and line of the log; `noted`: a head that the log had."""
        return upkeep.fsck(self, tell, noted)

    def backup(self, to: str | Path, tell: Tell = silent) -> backups.Backup:
        """This moment as a folder of its own, while others go on."""
        return backups.backup(self, Path(to), tell)

    def restore(self, source: str | Path, tell: Tell = silent) -> backups.Backup:
        """Fill an empty registry from a backup, which is checked first."""
        return backups.restore(self, Path(source), tell)


def _event(text: str, name: str, number: int, **facts: Any) -> Event:
    return Event("note", text, {"name": name, "number": number, **facts})
