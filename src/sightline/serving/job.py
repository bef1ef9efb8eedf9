"""A batch job as it is kept: what was asked, in which chunks, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core import catalog
from sightline.core.errors import SettingsError
from sightline.core.schema import Schema, Step

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUEUED, RUNNING, DONE, CANCELLED, FAILED = "queued", "running", "done", "cancelled", "failed"
WAITING, TAKEN = "waiting", "taken"  # of a chunk, besides DONE
CHUNK = 32  # pictures


@dataclass(frozen=True, slots=True)
class Options:
    """How a job answers."""

    threshold: float | None = None  # objects and names that score less are left out, or doubted
    coverage: float | None = None  # of the sets of names
    formats: tuple[str, ...] = ()  # layouts that the answers are written in as well, beside JSON lines
    chunk: int = CHUNK
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.chunk <= 10_000:
            raise SettingsError(f"chunk {self.chunk}: must be from 1 to 10000 pictures.")
        for name in self.formats:
            catalog.find("formats", name)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now."""

    id: str
    model: str
    number: int
    seal: str
    state: str
    words: tuple[str, ...]  # the folders, files and patterns that were named
    folder: Path  # where its answers are
    total: int
    done: int = 0  # with an answer
    failed: int = 0  # with an error of their own
    created: float = 0.0
    ended: float = 0.0
    seconds: float = 0.0  # of work, in all workers
    why: str = ""  # it failed
    options: Options = field(default_factory=Options)

    @property
    def answered(self) -> int:
        """Pictures with an answer or an error."""
        return self.done + self.failed

    @property
    def line(self) -> str:
        """For people."""
        errors = f", {self.failed:,} could not be answered" if self.failed else ""
        reason = f": {self.why}" if self.why else ""
        return f"{self.state}: {self.answered:,} of {self.total:,} pictures{errors}{reason}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "folder": str(self.folder), "words": list(self.words)}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some pictures of a job that one worker has taken."""

    job: Job
    first: int  # place of the first one
    items: tuple[tuple[str, str], ...]  # name and path
    owner: str

    @property
    def last(self) -> bool:
        """Whether this is the chunk without pictures that comes after all others: the report."""
        return self.first == self.job.total


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a chunk; `whole` where its answers are on the disk."""

    chunk: Chunk
    whole: bool = False
    done: int = 0
    failed: int = 0
    seconds: float = 0.0


def ask(connection: Connection, text: str, **values: Any) -> Any:
    """Execute a statement with named values."""
    import sqlalchemy

    return connection.execute(sqlalchemy.text(text), values)


FRESH = {"state": WAITING, "owner": "", "until": 0.0, "attempt": 0, "done": 0, "failed": 0, "seconds": 0.0}


def insert(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that have the same columns."""
    import sqlalchemy

    columns: list[Any] = [sqlalchemy.column(name) for name in rows[0]]
    connection.execute(sqlalchemy.table(table, *columns).insert(), [dict(row) for row in rows])


def _first(connection: Connection) -> None:
    import sqlalchemy as sql

    tables = sql.MetaData()
    text, number, real = sql.Text, sql.Integer, sql.Double
    sql.Table(
        "jobs", tables, sql.Column("id", text, primary_key=True),
        *(sql.Column(name, text, nullable=False) for name in ("model", "seal", "state", "words", "options", "why")),
        *(sql.Column(name, number, nullable=False) for name in ("number", "total")),
        *(sql.Column(name, real, nullable=False) for name in ("created", "ended")),
    )  # fmt: skip
    sql.Table(
        "job_chunks", tables,
        sql.Column("job", text, sql.ForeignKey("jobs.id"), primary_key=True),
        sql.Column("first", number, primary_key=True),
        *(sql.Column(name, text, nullable=False) for name in ("items", "state", "owner")),
        *(sql.Column(name, number, nullable=False) for name in ("attempt", "done", "failed")),
        *(sql.Column(name, real, nullable=False) for name in ("until", "seconds")),
    )  # fmt: skip
    tables.create_all(connection)


SCHEMA = Schema("jobs", (Step("jobs and their chunks", _first),))
