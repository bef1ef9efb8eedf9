"""Routes of batch jobs: whole folders, queued here and answered by a process beside, see labour.py."""

from __future__ import annotations

import asyncio
from typing import Any

from sightline.core.errors import ServingError
from sightline.server.service import Service
from sightline.server.shapes import JobAsked, JobState, JobStates, responses
from sightline.serving.job import Job, Options
from sightline.serving.jobs import Jobs

MOST = 100  # folders of one job


def add(app: Any, service: Service) -> None:
    """Hang the routes on the app."""

    async def submit(body: JobAsked) -> JobState:
        """Queue every picture of some folders, which lie below those that the service was told."""
        for name, share in {"least": body.least, "level": body.level}.items():
            if share is not None and not 0 <= share <= 1:
                raise ServingError("schema", f"{name} must be a number from 0 to 1.")
        options = Options(threshold=body.least, coverage=body.level)
        if not body.folders or len(body.folders) > MOST or not all(map(_named, body.folders)):
            raise ServingError("schema", f"'folders' must name 1 to {MOST} folders, in text that can name one.")

        def queued() -> JobState:
            service.version(body.model, body.which)  # 404 as on every other route
            return _plain(
                _queue(service).submit(
                    body.model, body.folders, source=service.source, which=body.which, options=options
                )
            )

        return await asyncio.to_thread(queued)

    async def every() -> JobStates:
        """The jobs, newest first."""
        return JobStates([_plain(job) for job in await asyncio.to_thread(_queue(service).every)])

    async def one(id: str) -> JobState:
        """How far a job has come."""
        return _plain(await asyncio.to_thread(_queue(service).status, id))

    async def cancel(id: str) -> JobState:
        """Take no further pictures of a job; what it has answered stays."""
        return _plain(await asyncio.to_thread(_queue(service).cancel, id))

    tags = ["jobs"]
    app.post("/jobs", responses=responses(404, 409, 422), tags=tags, operation_id="submit_job")(submit)
    app.get("/jobs", responses=responses(409), tags=tags, operation_id="list_jobs")(every)
    app.get("/jobs/{id}", responses=responses(404, 409), tags=tags, operation_id="job")(one)
    app.delete("/jobs/{id}", responses=responses(404, 409), tags=tags, operation_id="cancel_job")(cancel)


def _named(folder: str) -> bool:
    return 0 < len(folder) <= 4096 and folder.isprintable()


def _queue(service: Service) -> Jobs:
    if service.jobs is None:
        raise ServingError("conflict", "This service takes no jobs: start it with --jobs FOLDER.")
    return service.jobs


def _plain(job: Job) -> JobState:
    return JobState(
        job.id, job.model, job.number, job.state, job.total, job.done, job.failed, job.created, job.ended, job.why
    )
