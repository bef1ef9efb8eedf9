"""Who works on which chunk of which job: taken under leases, given back, done, or too dangerous to try again."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.database import Database
from sightline.serving.chunks import give_up
from sightline.serving.job import FRESH, Finished, ask, insert

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE = 60.0  # seconds that a chunk belongs to its worker; it is renewed while answers come
ATTEMPTS = 2  # times that a chunk may take its worker with it
_MINE = "WHERE job = :job AND first = :first AND owner = :owner AND state = 'taken'"


class Leases:
    """The chunks of all jobs, for one worker."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.owner = oneself()

    def take(self, only: str | None = None) -> tuple[str, int, list[tuple[str, str]]] | None:
        """Job, place and pictures of the first chunk that is free; a report is, once all else of its job is done."""
        one = "AND j.id = :only" if only else ""
        while True:
            with self.database.write() as connection:
                gone = [owner for owner in self._owners(connection) if not alive(owner)]
                dead = "".join(f" OR c.owner = :dead{place}" for place in range(len(gone)))
                text = (
                    "SELECT c.job, c.first, c.items, c.attempt, j.total "  # noqa: S608
                    f"FROM job_chunks c JOIN jobs j ON j.id = c.job WHERE j.state IN ('queued', 'running') {one} "
                    f"AND (c.state = 'waiting' OR (c.state = 'taken' AND (c.until < :now{dead}))) "
                    "AND (c.first < j.total OR NOT EXISTS (SELECT 1 FROM job_chunks o "
                    "WHERE o.job = c.job AND o.first < j.total AND o.state <> 'done')) "
                    "ORDER BY j.created, j.id, c.first LIMIT 1"
                )
                values = {f"dead{place}": owner for place, owner in enumerate(gone)} | ({"only": only} if only else {})
                found = ask(connection, text, now=time.time(), **values).one_or_none()
                if found is None:
                    return None
                items = [(name, path) for name, path in json.loads(found.items)]
                if found.attempt >= ATTEMPTS:
                    self._doubt(connection, found, items)
                    continue
                self._give(connection, found)
            return found.job, found.first, items

    def others(self, only: str | None = None) -> bool:
        """Whether anybody else has a chunk."""
        one = "AND j.id = :only" if only else ""
        text = (
            "SELECT count(*) FROM job_chunks c JOIN jobs j ON j.id = c.job "  # noqa: S608
            f"WHERE j.state = 'running' AND c.state = 'taken' AND c.owner <> :owner {one}"
        )
        with self.database.read() as connection:
            return bool(ask(connection, text, owner=self.owner, **({"only": only} if only else {})).scalar_one())

    def renew(self, job: str, first: int) -> bool:
        """Keep a chunk for longer; False where it is another worker's now, or its job goes on no more."""
        running = "AND EXISTS (SELECT 1 FROM jobs WHERE id = :job AND state = 'running')"
        text = f"UPDATE job_chunks SET until = :until {_MINE} {running}"  # noqa: S608
        return self._change(text, job, first, until=time.time() + LEASE)

    def release(self, job: str, first: int) -> bool:
        """Give a chunk back unanswered; it was no attempt."""
        text = f"UPDATE job_chunks SET state = 'waiting', owner = '', attempt = attempt - 1 {_MINE}"  # noqa: S608
        return self._change(text, job, first)

    def finish(self, finished: Finished) -> bool:
        """Mark a chunk as done; False where another worker has it now, whose answers are the same."""
        told = {"done": finished.done, "failed": finished.failed, "seconds": finished.seconds}
        text = f"UPDATE job_chunks SET state = 'done', done = :done, failed = :failed, seconds = :seconds {_MINE}"  # noqa: S608
        return finished.whole and self._change(text, finished.chunk.job.id, finished.chunk.first, **told)

    def parts(self, job: str) -> list[tuple[int, list[tuple[str, str]]]]:
        """The place and the pictures of every chunk that has some, in order."""
        text = (
            "SELECT c.first, c.items FROM job_chunks c JOIN jobs j ON j.id = c.job "
            "WHERE c.job = :job AND c.first < j.total ORDER BY c.first"
        )
        with self.database.read() as connection:
            rows = ask(connection, text, job=job).all()
        return [(int(row.first), [(name, path) for name, path in json.loads(row.items)]) for row in rows]

    def _owners(self, connection: Connection) -> list[str]:
        text = "SELECT DISTINCT owner FROM job_chunks WHERE state = 'taken' AND owner <> :owner"
        return [row.owner for row in ask(connection, text, owner=self.owner)]

    def _give(self, connection: Connection, found: Any) -> None:
        text = (
            "UPDATE job_chunks SET state = 'taken', owner = :owner, until = :until, attempt = attempt + 1 "
            "WHERE job = :job AND first = :first"
        )
        ask(connection, text, owner=self.owner, until=time.time() + LEASE, job=found.job, first=found.first)
        ask(connection, "UPDATE jobs SET state = 'running' WHERE id = :job AND state = 'queued'", job=found.job)

    def _doubt(self, connection: Connection, found: Any, items: Sequence[tuple[str, str]]) -> None:
        """A chunk that killed its workers: picture by picture; a picture that did so by itself is given up."""
        here: Mapping[str, Any] = {"job": found.job, "first": found.first}
        if not items:
            why = "the processes that wrote its report died of it; resume it to try again"
            ask(connection, "UPDATE jobs SET state = 'failed', why = :why WHERE id = :job", why=why, job=found.job)
            text = (
                "UPDATE job_chunks SET state = 'waiting', owner = '', attempt = 0 WHERE job = :job AND first = :first"
            )
            ask(connection, text, **here)
        elif len(items) == 1:
            give_up(self.folder / found.job, found.first, items[0][0])
            text = "UPDATE job_chunks SET state = 'done', failed = 1, owner = '' WHERE job = :job AND first = :first"
            ask(connection, text, **here)
        else:
            ask(connection, "DELETE FROM job_chunks WHERE job = :job AND first = :first", **here)
            singles = [
                {**FRESH, "job": found.job, "first": found.first + place, "items": json.dumps([item])}
                for place, item in enumerate(items)
            ]
            insert(connection, "job_chunks", singles)

    def _change(self, text: str, job: str, first: int, **values: Any) -> bool:
        with self.database.write() as connection:
            return bool(ask(connection, text, job=job, first=first, owner=self.owner, **values).rowcount)


def oneself() -> str:
    """A name for this worker, by which others can see whether it lives."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def alive(owner: str) -> bool:
    """Whether a worker may still be at work: on this machine its process is looked for, others have their lease."""
    host, process, _ = owner.rsplit("/", 2)
    if host != socket.gethostname() or sys.platform == "win32":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
