"""Questions to the tables and changes of their rows, each within the transaction of the caller."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sightline.core.blobs import Blobs
from sightline.core.errors import RegistryError, nearest
from sightline.registering import log
from sightline.registering.lineage import NAME
from sightline.registering.packing import Packed
from sightline.registering.tables import tables
from sightline.registering.version import LATEST, Version

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_DEEPEST = 1000  # numbers that an alias remembers


def check_name(name: str) -> None:
    """Refuse a name that could not stand in an address."""
    if not NAME.fullmatch(name):
        raise RegistryError(
            f"'{name[:80]}' cannot name a model: take 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first."
        )


def check_alias(alias: str) -> None:
    """Refuse a word that could be taken for something else."""
    if alias == LATEST:
        raise RegistryError(f"'{LATEST}' is always the highest number; choose another alias.")
    if not _ALIAS.fullmatch(alias):
        raise RegistryError(
            f"'{alias[:80]}' cannot be an alias: take 1 to 32 of a-z, 0-9, '_' and '-', a letter first."
        )


def names(connection: Connection) -> list[str]:
    """Every model that has a version which was not deleted."""
    import sqlalchemy

    there = tables().versions
    found = sqlalchemy.select(there.c.name).where(there.c.deleted == "").distinct().order_by(there.c.name)
    return [row.name for row in connection.execute(found)]


def known(connection: Connection, name: str) -> Row[Any]:
    """The row of a model, or one line that names those that there are."""
    import sqlalchemy

    models = tables().models
    row = connection.execute(sqlalchemy.select(models).where(models.c.name == name)).first()
    if row is not None:
        return row
    there = names(connection)
    listed = f" Models: {', '.join(there[:20])}." if there else " Register one with: sightline register RUN"
    raise RegistryError(f"no model is called '{name[:80]}' here.{nearest(name, there)}{listed}")


def find(connection: Connection, name: str, which: int | str) -> Row[Any]:
    """The row of a version that was not deleted, by number or alias."""
    import sqlalchemy

    there, called = tables().versions, tables().aliases
    word = str(which)
    wanted = sqlalchemy.select(there).where(there.c.name == name)
    if word.isascii() and word.isdigit():
        wanted = wanted.where(there.c.number == min(int(word[:19]), 2**31 - 1))
    elif word == LATEST:
        wanted = wanted.where(there.c.deleted == "").order_by(there.c.number.desc()).limit(1)
    else:
        same = (called.c.name == there.c.name) & (called.c.number == there.c.number)
        wanted = wanted.join(called, same).where(called.c.alias == word)
    row = connection.execute(wanted).first()
    if row is None:
        raise _missing(connection, name, word)
    if row.deleted:
        raise RegistryError(f"{name} {row.number} was deleted on {row.deleted}. Register its bundle again.")
    return row


def _missing(connection: Connection, name: str, word: str) -> RegistryError:
    known(connection, name)
    numbers = [row.number for row in listed(connection, name)]
    words = [row.alias for row in aliases(connection, name)]
    if not numbers:
        return RegistryError(f"every version of {name} was deleted. Register one: sightline register RUN --name {name}")
    span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
    said = f"{name} has no version {word[:40]}" if word.isdigit() else f"{name} has no alias '{word[:40]}'"
    hint = "" if word.isdigit() else nearest(word, [*words, LATEST])
    return RegistryError(f"{said}.{hint} It has {span}, and {', '.join([*words, LATEST])}.")


def listed(connection: Connection, name: str | None = None, *, deleted: bool = False) -> Sequence[Row[Any]]:
    """Versions, the oldest first."""
    import sqlalchemy

    there = tables().versions
    wanted = sqlalchemy.select(there).order_by(there.c.name, there.c.number)
    if name is not None:
        wanted = wanted.where(there.c.name == name)
    return connection.execute(wanted if deleted else wanted.where(there.c.deleted == "")).all()


def aliases(connection: Connection, name: str | None = None) -> Sequence[Row[Any]]:
    """Aliases of a model, or of all."""
    import sqlalchemy

    called = tables().aliases
    wanted = sqlalchemy.select(called).order_by(called.c.name, called.c.alias)
    return connection.execute(wanted if name is None else wanted.where(called.c.name == name)).all()


def alias(connection: Connection, name: str, word: str) -> Row[Any]:
    """One alias, or one line that names those that there are."""
    held = {row.alias: row for row in aliases(connection, name)}
    if word not in held:
        known(connection, name)
        raise RegistryError(f"{name} has no alias '{word[:40]}'.{nearest(word, held)} It has: {', '.join(held)}.")
    return held[word]


def same(connection: Connection, name: str, seal: str) -> Row[Any] | None:
    """The version that holds this very bundle."""
    import sqlalchemy

    there = tables().versions
    equal = (there.c.name == name) & (there.c.seal == seal) & (there.c.deleted == "")
    return connection.execute(sqlalchemy.select(there).where(equal)).first()


def add(connection: Connection, name: str, given: Packed, note: str) -> int:
    """A version with the next number of its name."""
    import sqlalchemy

    models, there = tables().models, tables().versions
    number = connection.execute(sqlalchemy.select(models.c.next).where(models.c.name == name)).scalar()
    if number is None:
        number = 1
        connection.execute(models.insert().values(name=name, next=2))
    else:
        connection.execute(models.update().where(models.c.name == name).values(next=number + 1))
    connection.execute(
        there.insert().values(
            name=name,
            number=number,
            seal=given.seal,
            address=given.address,
            size=len(given.data),
            created=log.now(),
            note=note,
            facts=_plain(given.facts),
            deleted="",
        )
    )
    return int(number)


def set_alias(connection: Connection, name: str, word: str, number: int, past: Sequence[int]) -> None:
    """One row: what an alias names now, and what it named before."""
    called = tables().aliases
    values = {"number": number, "past": json.dumps(list(past)[-_DEEPEST:])}
    here = (called.c.name == name) & (called.c.alias == word)
    if connection.execute(called.update().where(here).values(**values)).rowcount == 0:
        connection.execute(called.insert().values(name=name, alias=word, **values))


def drop_alias(connection: Connection, name: str, word: str) -> None:
    """Take an alias away."""
    called = tables().aliases
    connection.execute(called.delete().where((called.c.name == name) & (called.c.alias == word)))


def set_traffic(connection: Connection, name: str, traffic: Mapping[str, Any] | None) -> None:
    """How requests are shared."""
    models = tables().models
    plain = None if traffic is None else _plain(traffic)
    connection.execute(models.update().where(models.c.name == name).values(traffic=plain))


def set_note(connection: Connection, name: str, number: int, note: str) -> None:
    """What people say of a version."""
    _update(connection, name, number, note=note)


def mark_deleted(connection: Connection, name: str, number: int, at: str) -> None:
    """The row stays, so that its number is never given again."""
    _update(connection, name, number, deleted=at)


def _update(connection: Connection, name: str, number: int, **values: str) -> None:
    there = tables().versions
    connection.execute(there.update().where((there.c.name == name) & (there.c.number == number)).values(**values))


def in_traffic(plain: str | None, word: str) -> bool:
    """Whether the setting of traffic names a version by its number, or an alias, wherever in it."""

    def mentioned(value: Any, key: str = "") -> bool:
        if isinstance(value, Mapping):
            return any(str(key) == word or mentioned(inner, str(key)) for key, inner in value.items())
        if isinstance(value, list):
            return any(mentioned(inner, key) for inner in value)
        return value == word or (key in ("which", "number", "version") and str(value) == word)

    return plain is not None and mentioned(json.loads(plain))


def as_version(row: Row[Any], blobs: Blobs) -> Version:
    """A row as others know it."""
    facts = json.loads(row.facts)
    return Version(
        name=row.name,
        number=row.number,
        seal=row.seal,
        path=blobs.path(row.address),
        created=row.created,
        note=row.note,
        lineage=facts["lineage"],
        task=facts["task"],
        figures=facts["figures"],
        size=row.size,
        deleted=row.deleted,
    )


def _plain(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
