"""Batch jobs over folders: a queue in the database, taken in chunks under leases, which no kill loses or does twice.

    with open_jobs("registry/jobs.db", "registry/jobs") as jobs:
        job = jobs.submit("parts", ["photos/"], source=registry)
        jobs.run(registry)                        # here, or in any number of processes, until the queue is empty
        print(jobs.status(job.id).line)

The version is fixed when a job is submitted. A chunk's answers are a file that appears whole before the chunk is marked
as done, and one that is made twice is the same file, so that what comes out does not tell how often it was interrupted.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sightline.core import bundle, catalog
from sightline.core.database import Database, open_database
from sightline.core.errors import InputError, ServingError
from sightline.core.progress import Event, Tell, silent
from sightline.registering.version import CHAMPION, Source, Version
from sightline.serving.chunks import Worker, tidy
from sightline.serving.job import CANCELLED, DONE, FAILED, FRESH, QUEUED, RUNNING, SCHEMA, ask, insert
from sightline.serving.job import Chunk as Chunk
from sightline.serving.job import Finished as Finished
from sightline.serving.job import Job as Job
from sightline.serving.job import Options as Options
from sightline.serving.leases import Leases
from sightline.serving.routing import check_level

Spread = Callable[[Callable[[Chunk], Finished], Iterable[Chunk]], Iterable[Finished]]
_PATIENCE = 0.5  # seconds between two looks at what others do, and two words of progress


class Jobs:
    """The queue; with `roots`, only pictures below one of them may be named."""

    def __init__(self, database: Database, folder: str | Path, *, roots: Sequence[Path] | None = None) -> None:
        self.database, self.folder = database, Path(folder).absolute()
        self.roots = None if roots is None else tuple(root.resolve() for root in roots)
        self.leases = Leases(database, self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.database.close()

    # ------------------------------------------------------------------------------------------------- what is asked

    def submit(
        self,
        model: str,
        words: Sequence[str],
        *,
        source: Source,
        which: int | str = CHAMPION,
        options: Options | None = None,
    ) -> Job:
        """Queue every picture that the words stand for, for the version that this alias or number is now."""
        version, options = source.version(model, which), options or Options()
        if options.coverage is not None:
            check_level(options.coverage, model, _about(version))
        items = list({path: (name, path) for word in words for name, path in self._named(word)}.values())
        if not items:
            raise InputError("missing", f"{', '.join(words) or 'no folder was named'}: no picture is there.")
        identity = f"{time.strftime('%Y%m%d')}-{secrets.token_hex(4)}"
        row = {
            "id": identity, "model": model, "number": version.number, "seal": version.seal, "state": QUEUED,
            "words": json.dumps(list(words)), "total": len(items), "options": json.dumps(asdict(options)),
            "created": time.time(), "ended": 0.0, "why": "",
        }  # fmt: skip
        chunks = [
            {"job": identity, "first": first, "items": json.dumps(items[first : first + options.chunk])}
            for first in range(0, len(items), options.chunk)
        ]
        chunks.append({"job": identity, "first": len(items), "items": "[]"})  # the report
        with self.database.write() as connection:
            insert(connection, "jobs", [row])
            insert(connection, "job_chunks", [{**FRESH, **chunk} for chunk in chunks])
        return self.status(identity)

    def status(self, identity: str) -> Job:
        """One job as it is now."""
        found = self._read("WHERE j.id = :id", id=identity)
        if not found:
            raise ServingError("not_found", f"there is no job '{identity[:60]}'. See: sightline jobs list")
        return found[0]

    def every(self, *, most: int = 100) -> list[Job]:
        """The jobs, newest first."""
        return self._read("", most=most)

    def waiting(self) -> bool:
        """Whether a job has pictures that are not answered, by whomever."""
        text = (
            "SELECT 1 AS found FROM job_chunks c JOIN jobs j ON j.id = c.job "
            "WHERE c.state <> 'done' AND j.state IN ('queued', 'running') LIMIT 1"
        )
        with self.database.read() as connection:
            return ask(connection, text).first() is not None

    def cancel(self, identity: str) -> Job:
        """Take no further chunk of a job; what it has answered stays."""
        return self._turn(identity, (QUEUED, RUNNING), CANCELLED)

    def resume(self, identity: str) -> Job:
        """Go on with a job that was cancelled or that failed, with the pictures that are left."""
        return self._turn(identity, (CANCELLED, FAILED), QUEUED)

    # ------------------------------------------------------------------------------------------------- what works

    def run(
        self, source: Source, *, only: str | None = None, tell: Tell = silent, stop: Callable[[], bool] = lambda: False,
        spread: Spread = map,
    ) -> int:  # fmt: skip
        """Work until the queue is empty, or `only` this job is done; how many chunks were answered here.

        `spread` applies a function to chunks; one that does so on other machines takes this one's place.
        """
        if only is not None:
            self.status(only)
        worker, count, spoke = Worker(self.leases, self.fail, source), 0, 0.0
        for finished in spread(worker, self._chunks(only, stop)):
            kept, job = self.leases.finish(finished), finished.chunk.job
            count += kept
            if kept and finished.chunk.last:
                self._turn(job.id, (RUNNING,), DONE)
                tidy(job)
                tell(Event("done", f"{job.id} {self.status(job.id).line}", {"job": job.id}))
            elif time.monotonic() - spoke > _PATIENCE:
                spoke, now = time.monotonic(), self.status(job.id)
                tell(
                    Event(
                        "progress", f"{job.model} {job.id}", {"done": now.answered, "total": now.total, "job": job.id}
                    )
                )
        return count

    def fail(self, job: Job, why: str) -> None:
        """Stop a job for a reason that all its pictures share."""
        text = "UPDATE jobs SET state = 'failed', why = :why, ended = :now WHERE id = :id AND state = 'running'"
        with self.database.write() as connection:
            ask(connection, text, id=job.id, why=why, now=time.time())

    # ------------------------------------------------------------------------------------------------- within

    def _chunks(self, only: str | None, stop: Callable[[], bool]) -> Iterator[Chunk]:
        """What is free, until nothing is and nobody else has anything that may become free."""
        while not stop():
            taken = self.leases.take(only)
            if taken is not None:
                job, first, items = taken
                yield Chunk(self.status(job), first, tuple(items), self.leases.owner)
            elif self.leases.others(only):
                time.sleep(_PATIENCE)
            else:
                return

    def _named(self, word: str) -> list[tuple[str, str]]:
        """Name and path of every picture that a word stands for."""
        place = Path(word)
        if self.roots is not None and not any(place.resolve().is_relative_to(root) for root in self.roots):
            raise ServingError("forbidden", f"'{word[:200]}' lies in no folder that jobs may read.")
        items = []
        for sample in catalog.find("formats", "pictures").read(place):
            path = Path(sample.image.path).absolute()
            if self.roots is not None and not any(path.resolve().is_relative_to(root) for root in self.roots):
                raise ServingError("forbidden", f"'{sample.id[:200]}' leads out of the folders that jobs may read.")
            items.append((sample.image.name, str(path)))
        return items

    def _turn(self, identity: str, before: tuple[str, ...], after: str) -> Job:
        """From one state to another, or a refusal that says in which it is."""
        with self.database.write() as connection:
            states = " OR ".join(f"state = '{state}'" for state in before)
            ended = 0.0 if after == QUEUED else time.time()
            text = f"UPDATE jobs SET state = :after, ended = :ended, why = '' WHERE id = :id AND ({states})"  # noqa: S608
            turned = ask(connection, text, after=after, ended=ended, id=identity).rowcount
        job = self.status(identity)
        if not turned and job.state != after:
            raise ServingError("conflict", f"job {identity} is {job.state}, so it cannot be {after}.")
        return job

    def _read(self, where: str, **values: Any) -> list[Job]:
        text = (
            "SELECT j.id, j.model, j.number, j.seal, j.state, j.words, j.total, j.options, j.created, j.ended, j.why, "  # noqa: S608
            "coalesce(sum(c.done), 0) AS done, coalesce(sum(c.failed), 0) AS failed, "
            "coalesce(sum(c.seconds), 0) AS seconds "
            f"FROM jobs j LEFT JOIN job_chunks c ON c.job = j.id {where} "
            "GROUP BY j.id, j.model, j.number, j.seal, j.state, j.words, j.total, j.options, j.created, j.ended, j.why "
            "ORDER BY j.created DESC LIMIT :most"
        )
        with self.database.read() as connection:
            rows = ask(connection, text, **{"most": 10_000, **values}).mappings().all()
        return [self._job(row) for row in rows]

    def _job(self, row: Mapping[Any, Any]) -> Job:
        given = dict(row)
        options = json.loads(given.pop("options"))
        options["formats"] = tuple(options["formats"])
        given |= {
            "done": int(given["done"]),
            "failed": int(given["failed"]),
            "words": tuple(json.loads(given["words"])),
        }
        return Job(**given, folder=self.folder / given["id"], options=Options(**options))


def _about(version: Version) -> dict[str, Any]:
    """What a bundle says of the sets that it can answer with."""
    card = bundle.load(version.path).model
    task = catalog.find("tasks", str(card["task"])).TASK
    sets = (card.get("calibration") or {}).get("sets")
    levels = [row["level"] for row in sets["levels"]] if sets else []
    return {"kind": task.kind.__name__.lower(), "several": task.several, "levels": levels}


def open_jobs(place: str | Path, folder: str | Path, *, roots: Sequence[Path] | None = None) -> Jobs:
    """The queue in a file or in PostgreSQL by its URL, and the folder where answers go."""
    return Jobs(open_database(place, SCHEMA), folder, roots=roots)
