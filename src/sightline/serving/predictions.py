"""The log of predictions: who asked which version what, what it said, how surely and how fast; and what was true.

    with open_predictions("registry/predictions.db", mode="durable") as log:
        log.add(answered(ask, reply, digest, 0.004)).result()  # in the database before the answer leaves
        log.label(ask.request, name="scratch")                          # when somebody knows

`fast` rows are saved a few times a second: a kill loses less than a second of them. `durable` rows survive a power loss
once their future says so. Neither ever stops an answer: what a full disk does not take is dropped and counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from sightline.core.database import Database, open_database
from sightline.core.errors import SettingsError
from sightline.core.progress import Tell, silent
from sightline.core.schema import Schema, Step
from sightline.serving.prediction import Prediction
from sightline.serving.wire import encoded
from sightline.serving.writer import Writer

if TYPE_CHECKING:
    from sqlalchemy import Connection

Mode = Literal["fast", "durable"]
REST = 0.2  # seconds between two commits in fast mode
PATIENCE = 1.0  # seconds that an answer waits for the disk in durable mode
_CHUNK = 2000  # rows that are removed in one transaction, so that no writer waits long
_COLUMNS = {  # and how PostgreSQL calls their types
    "time": "double precision", "request": "text", "model": "text", "number": "integer", "arm": "text",
    "experiment": "text", "shadow": "integer", "caller": "text", "digest": "text", "answer": "text",
    "decision": "text", "best": "text", "score": "double precision", "unsure": "integer",
    "seconds": "double precision", "kept": "integer", "status": "integer", "error": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keep:
    """How long rows stay."""

    rows: int | None = 1_000_000
    seconds: float | None = 90 * 86400.0

    def __post_init__(self) -> None:
        if (self.rows is not None and self.rows < 1) or (self.seconds is not None and not self.seconds > 0):
            raise SettingsError(f"keep {self.rows} rows for {self.seconds} seconds: must be more than 0, or none.")


class Predictions:
    """The log in a database; several processes may share it."""

    def __init__(
        self, database: Database, *, mode: Mode = "fast", keep: Keep = Keep(), most: int = 20_000, tell: Tell = silent
    ) -> None:
        self.database, self.mode, self.keep = database, mode, keep
        self.unsaved = 0  # answers that left before their rows were in the database, in durable mode
        self._key = _key(database)
        rest = 0.0 if mode == "durable" else REST
        self.writer: Writer[tuple[Any, ...]] = Writer(self._save, rest=rest, most=most, chore=self.tidy, tell=tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self, seconds: float = 5.0) -> None:
        """Save what waits, within a time, and let go of the database."""
        self.writer.close(seconds)
        self.database.close()

    def add(self, row: Prediction) -> Future[bool]:
        """Take a row without waiting for a disk; the future says whether it is in the database."""
        answer, decision = _text(row.answer), _text(row.decision)
        values = (
            row.time or time.time(), row.request, row.model, row.number, row.arm, row.experiment, int(row.shadow),
            self.hashed(row.caller), row.digest, answer, decision, row.best, row.score,
            None if row.unsure is None else int(row.unsure), row.seconds, int(row.kept), row.status, row.error,
        )  # fmt: skip
        return self.writer.put(values, 600 + len(answer or "") + len(decision or ""))

    async def taken(self, row: Prediction) -> bool:
        """Take a row; in durable mode once it is in the database, or has not come there within `PATIENCE`."""
        future = self.add(row)
        if self.mode == "fast":
            return True
        done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=PATIENCE)
        kept = bool(done) and future.result()
        self.unsaved += not kept
        return kept

    def hashed(self, caller: str) -> str:
        """What the log calls a caller: the same for the same one, in every process that shares it."""
        return (
            hashlib.blake2b(caller.encode("utf-8", "replace"), key=self._key, digest_size=12).hexdigest()
            if caller
            else ""
        )

    def label(self, request: str, *, name: str | None = None, right: bool | None = None, source: str = "") -> None:
        """What turned out to be so: the true name, or whether the answer was right; an earlier word is replaced."""
        import sqlalchemy

        if name is None and right is None:
            raise SettingsError(f"request {request}: say the true name, or whether the answer was right.")
        row: dict[str, Any] = {"request": request, "name": name, "source": source, "time": time.time()}
        row["correct"] = None if right is None else int(right)
        with self.database.write() as connection:
            connection.execute(sqlalchemy.text("DELETE FROM prediction_labels WHERE request = :request"), row)
            connection.execute(
                sqlalchemy.text("INSERT INTO prediction_labels VALUES (:request, :name, :correct, :source, :time)"), row
            )

    def rows(
        self, model: str | None = None, *, since: float = 0.0, newest: int | None = None, page: int = 1000
    ) -> Iterator[dict[str, Any]]:
        """Rows as plain JSON with the labels that came later, oldest first; with `newest` only so many."""
        import sqlalchemy

        chosen = "p.time >= :since" + (" AND p.model = :model" if model is not None else "")
        values: dict[str, Any] = {"since": since, "model": model, "after": 0, "page": page}
        if newest is not None:
            values |= {"newest": newest}
            last = f"SELECT id FROM predictions p WHERE {chosen} ORDER BY id DESC LIMIT :newest"  # noqa: S608
            with self.database.read() as connection:
                found = connection.execute(sqlalchemy.text(last), values).scalars().all()
            if not found:
                return
            values["after"] = min(found) - 1
        text = (
            "SELECT p.*, l.name AS label, l.correct FROM predictions p LEFT JOIN prediction_labels l "  # noqa: S608
            f"ON l.request = p.request WHERE {chosen} AND p.id > :after ORDER BY p.id LIMIT :page"
        )
        while True:
            with self.database.read() as connection:
                group = connection.execute(sqlalchemy.text(text), values).mappings().all()
            for row in group:
                yield _plain(row)
            if len(group) < page:
                return
            values["after"] = group[-1]["id"]

    def tidy(self) -> int:
        """Remove what is older, or more, than is kept; how many rows went."""
        removed = 0
        for rule, value in self._rules():
            while found := self._remove(rule, value):
                removed += found
        return removed

    def state(self) -> dict[str, Any]:
        """For metrics and health: rows written, dropped and waiting, and what is wrong with the disk."""
        return {"mode": self.mode, "unsaved": self.unsaved, **self.writer.state()}

    def _rules(self) -> Iterator[tuple[str, float]]:
        """Which rows need not be kept."""
        import sqlalchemy

        if self.keep.rows is not None:
            text = sqlalchemy.text("SELECT id FROM predictions ORDER BY id DESC LIMIT 1 OFFSET :rows")
            with self.database.read() as connection:
                last = connection.execute(text, {"rows": self.keep.rows}).scalar()
            if last is not None:
                yield "id <= :value", last
        if self.keep.seconds is not None:
            yield "time < :value", time.time() - self.keep.seconds

    def _remove(self, rule: str, value: float) -> int:
        """One chunk of rows with their labels; how many there were."""
        import sqlalchemy

        chosen = f"IN (SELECT id FROM predictions WHERE {rule} LIMIT {_CHUNK})"  # noqa: S608
        labels = (
            "DELETE FROM prediction_labels WHERE request IN "  # noqa: S608
            f"(SELECT request FROM predictions WHERE id {chosen})"
        )
        with self.database.write(alone=False) as connection:
            connection.execute(sqlalchemy.text(labels), {"value": value})
            rows = sqlalchemy.text(f"DELETE FROM predictions WHERE id {chosen}")  # noqa: S608
            return connection.execute(rows, {"value": value}).rowcount

    def _save(self, rows: Sequence[tuple[Any, ...]]) -> None:
        names = ", ".join(_COLUMNS)
        with self.database.write(alone=False) as connection:
            if self.database.kind == "sqlite":
                marks = ", ".join("?" * len(_COLUMNS))
                text = f"INSERT INTO predictions ({names}) VALUES ({marks})"  # noqa: S608
                connection.exec_driver_sql(text, list(rows))
            else:
                typed = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
                text = (
                    f"INSERT INTO predictions ({names}) SELECT {names} "  # noqa: S608
                    f"FROM json_to_recordset(CAST(%s AS json)) AS r({typed})"
                )
                packed = json.dumps([dict(zip(_COLUMNS, row, strict=True)) for row in rows]).replace("\\u0000", "")
                connection.exec_driver_sql(text, (packed,))


def open_predictions(
    place: str | Path, *, mode: Mode = "fast", keep: Keep = Keep(), most: int = 20_000, tell: Tell = silent
) -> Predictions:
    """The log in a file, or in PostgreSQL by its URL; made where there is none."""
    if mode not in ("fast", "durable"):
        raise SettingsError(f"mode '{mode}': must be fast or durable.")
    database = open_database(place, SCHEMA, synchronous="FULL" if mode == "durable" else "NORMAL")
    return Predictions(database, mode=mode, keep=keep, most=most, tell=tell)


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else encoded(value)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    found = {str(key): value for key, value in row.items()}
    for name in ("answer", "decision"):
        found[name] = None if found[name] is None else json.loads(found[name])
    for name in ("shadow", "kept", "unsure", "correct"):
        found[name] = None if found[name] is None else bool(found[name])
    return found


def _key(database: Database) -> bytes:
    with database.read() as connection:
        return bytes.fromhex(connection.exec_driver_sql("SELECT value FROM prediction_key").scalar_one())


def _first(connection: Connection) -> None:
    import sqlalchemy as sql

    tables = sql.MetaData()
    number = sql.BigInteger().with_variant(sql.Integer(), "sqlite")
    kinds: dict[str, Any] = {"text": sql.Text(), "integer": sql.Integer(), "double precision": sql.Double()}
    empty = ("answer", "decision", "best", "score", "unsure")
    columns: list[Any] = [sql.Column(name, kinds[kind], nullable=name in empty) for name, kind in _COLUMNS.items()]
    rows = sql.Table(
        "predictions", tables, sql.Column("id", number, primary_key=True), *columns, sqlite_autoincrement=True
    )
    for name in ("time", "request", "experiment"):
        sql.Index(f"predictions_{name}", rows.c[name])
    sql.Table(
        "prediction_labels", tables,
        sql.Column("request", sql.Text, primary_key=True), sql.Column("name", sql.Text),
        sql.Column("correct", sql.Integer), sql.Column("source", sql.Text), sql.Column("time", sql.Double),
    )  # fmt: skip
    key = sql.Table("prediction_key", tables, sql.Column("value", sql.Text, nullable=False))
    tables.create_all(connection)
    connection.execute(key.insert().values(value=secrets.token_hex(32)))


SCHEMA = Schema("predictions", (Step("predictions, their labels, and a key for callers", _first),))
