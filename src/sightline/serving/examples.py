"""Data sets that grow picture by picture: what callers show a service, so that it learns from it.

A picture is kept once in a data set, under the hash of its bytes, without the notes that came with it (place, time,
camera); what is said last of it holds. Every picture is decoded behind the guard before it is taken.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sightline.core.annotations import from_json, to_json
from sightline.core.database import Database, open_database
from sightline.core.decoding import recognise
from sightline.core.encoding import bare
from sightline.core.errors import InputError, ServingError
from sightline.core.files import digest, make_folder, write_durably
from sightline.core.guarding import standing
from sightline.core.schema import Schema, Step
from sightline.serving.job import ask

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST = 100  # letters of a label
_TRUTH = 2**20  # letters of what is said of one picture


@dataclass(frozen=True, slots=True)
class Example:
    """A picture and what is so, checked and not yet kept."""

    data: bytes
    digest: str
    format: str
    truth: str  # JSON of a record
    kind: str
    group: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a data set holds now."""

    name: str
    kind: str
    pictures: int
    names: Mapping[str, int]  # pictures in which each name occurs
    bytes: int
    changed: float


def example(data: bytes, said: str | Mapping[str, Any], group: str = "") -> Example:
    """A picture with its label, or with a record as JSON; an `InputError` says what is wrong with either."""
    truth = _truth(said)
    if len(group) > LONGEST or not group.isprintable():
        raise InputError("label", f"a group is named by up to {LONGEST} letters that can be printed.")
    pixels = standing().read(data, "picture")  # all of it: a file that ends early is found here, not while training
    kept = bare(data, "picture", pixels=pixels)
    kind, _ = recognise(kept, "picture")
    text = json.dumps(truth, ensure_ascii=False)
    if len(text) > _TRUTH:
        raise InputError("label", f"what is said of one picture has more than {_TRUTH:,} letters.")
    return Example(kept, digest(kept), kind, text, str(truth["kind"]), group)


def _truth(said: str | Mapping[str, Any]) -> dict[str, Any]:
    """A record as plain JSON, checked by what reads it later."""
    if not isinstance(said, str):
        return to_json(from_json(said))  # as we write it: what came may name files, or hold more than a record
    label = said.strip()
    if not 0 < len(label) <= LONGEST or not label.isprintable():
        raise InputError("label", f"a label has 1 to {LONGEST} letters that can be printed.")
    return {"kind": "labels", "names": [label]}


class Examples:
    """The data sets of one place: rows in a database, pictures in a folder beside it."""

    def __init__(self, database: Database, folder: Path, *, each: int, total: int) -> None:
        self.database, self.folder = database, folder.absolute()
        self.each, self.total = each, total  # bytes of one data set, and of all

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.database.close()

    def add(self, name: str, examples: Sequence[Example]) -> Held:
        """Keep pictures, all of them or none; one that is there already is what is now said of it."""
        fresh = {one.digest: one for one in examples}
        kinds = {one.kind for one in fresh.values()}
        with self.database.write() as connection:
            there = ask(connection, "SELECT kind FROM examples WHERE dataset = :name LIMIT 1", name=name).scalar()
            if len(kinds | ({there} if there else set())) > 1:
                known = there or sorted(kinds)[0]
                other = sorted(kinds - {known})[0]
                raise ServingError("conflict", f"data set '{name}' is of {known}: {other} belong into another one.")
            self._refuse(connection, name, list(fresh.values()))
            for one in fresh.values():
                path = self._place(name, one.digest, one.format)
                if not path.is_file():
                    make_folder(path.parent)
                    write_durably(path, one.data)
                self._note(connection, name, one)
            return self._held(connection, name)

    def held(self, name: str) -> Held:
        """One data set."""
        with self.database.read() as connection:
            return self._held(connection, name)

    def names(self) -> list[str]:
        """All data sets."""
        with self.database.read() as connection:
            rows = ask(connection, "SELECT DISTINCT dataset FROM examples ORDER BY dataset")
            return [str(row.dataset) for row in rows]

    def remove(self, name: str) -> None:
        """Forget a data set; models that learnt from it stay."""
        with self.database.write() as connection:
            self._held(connection, name)
            ask(connection, "DELETE FROM examples WHERE dataset = :name", name=name)
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def copy(self, name: str, to: Path) -> int:
        """The data set as it is now, in a folder that training reads, and that later uploads do not change."""
        with self.database.write() as connection:  # so that nobody removes it meanwhile
            held = self._held(connection, name)
            rows = ask(connection, "SELECT * FROM examples WHERE dataset = :name ORDER BY time, digest", name=name)
            header = {
                "sightline": "samples",
                "version": 1,
                "name": name,
                "kind": held.kind,
                "names": sorted(held.names),
            }
            lines = [json.dumps(header)]
            make_folder(to / "files")
            for row in rows:
                path = self._place(name, row.digest, row.format)
                _link(path, to / "files" / path.name)
                group = {"group": row.group_name} if row.group_name else {}
                plain = {
                    "id": row.digest[:16],
                    "images": [f"files/{path.name}"],
                    "truth": json.loads(row.truth),
                    **group,
                }
                lines.append(json.dumps(plain))
        write_durably(to / "samples.jsonl", ("\n".join(lines) + "\n").encode())
        return held.pictures

    def _refuse(self, connection: Connection, name: str, fresh: Iterable[Example]) -> None:
        """What would be more than a data set, or all of them, may hold."""
        known = "SELECT 1 AS found FROM examples WHERE dataset = :name AND digest = :digest"
        more = sum(
            len(one.data) for one in fresh if ask(connection, known, name=name, digest=one.digest).first() is None
        )
        text = "SELECT coalesce(sum(size), 0) FROM examples"
        here = int(ask(connection, f"{text} WHERE dataset = :name", name=name).scalar_one())
        everywhere = int(ask(connection, text).scalar_one()) if more else 0
        for what, used, most in (("this data set", here, self.each), ("all", everywhere, self.total)):
            if more and used + more > most:
                raise ServingError("body", f"{used + more:,} bytes of pictures in {what}; the limit is {most:,}.")

    def _note(self, connection: Connection, name: str, one: Example) -> None:
        here = {"name": name, "digest": one.digest}
        ask(connection, "DELETE FROM examples WHERE dataset = :name AND digest = :digest", **here)
        text = (
            "INSERT INTO examples (dataset, digest, format, truth, kind, group_name, size, time) "
            "VALUES (:name, :digest, :format, :truth, :kind, :group, :size, :now)"
        )
        told = {"format": one.format, "truth": one.truth, "kind": one.kind, "group": one.group}
        ask(connection, text, **here, **told, size=len(one.data), now=time.time())

    def _held(self, connection: Connection, name: str) -> Held:
        text = (
            "SELECT kind, truth, count(*) AS count, sum(size) AS size, max(time) AS time FROM examples "
            "WHERE dataset = :name GROUP BY kind, truth"
        )
        rows = ask(connection, text, name=name).all()
        if not rows:
            raise ServingError("not_found", f"there is no data set '{name[:80]}'. Make one by sending pictures to it.")
        counts: dict[str, int] = {}
        for row in rows:
            for word in {str(word) for word in json.loads(row.truth).get("names", ())}:
                counts[word] = counts.get(word, 0) + int(row.count)
        size, changed = sum(int(row.size) for row in rows), max(float(row.time) for row in rows)
        pictures = sum(int(row.count) for row in rows)
        return Held(name, str(rows[0].kind), pictures, dict(sorted(counts.items())), size, changed)

    def _place(self, name: str, digested: str, format: str) -> Path:
        return self.folder / name / digested[:2] / f"{digested}.{format}"


def _link(path: Path, to: Path) -> None:
    """The same file under a second name; a copy where that cannot be."""
    if to.exists():
        return
    try:
        os.link(path, to)
    except OSError:
        shutil.copyfile(path, to)


def _first(connection: Connection) -> None:
    import sqlalchemy as sql

    tables = sql.MetaData()
    sql.Table(
        "examples", tables,
        sql.Column("dataset", sql.Text, primary_key=True), sql.Column("digest", sql.Text, primary_key=True),
        *(sql.Column(name, sql.Text, nullable=False) for name in ("format", "truth", "kind", "group_name")),
        sql.Column("size", sql.BigInteger, nullable=False), sql.Column("time", sql.Double, nullable=False),
    )  # fmt: skip
    tables.create_all(connection)


SCHEMA = Schema("examples", (Step("pictures of data sets, and what is so", _first),))


def open_examples(
    place: str | Path, folder: str | Path, *, each: int = 2**31, total: int = 2**34
) -> Examples:  # fmt: skip
    """The data sets of a database, in a file or by its URL, with their pictures in a folder."""
    return Examples(open_database(place, SCHEMA), Path(folder), each=each, total=total)
