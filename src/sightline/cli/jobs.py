"""Answer whole folders in the background: submit NAME FOLDER..., list, show ID, cancel ID, resume ID, run [ID].

submit queues pictures for the version that NAME's champion is now; run works until the queue is empty, in as many
processes as one starts. Interrupt or kill it: the same command goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from sightline.cli._command import UsageError
from sightline.cli._display import Screen
from sightline.cli._lines import columns
from sightline.cli._versions import WHERE
from sightline.core.errors import UnknownNameError, nearest

if TYPE_CHECKING:
    from sightline.registering.registry import Registry
    from sightline.serving.jobs import Job, Jobs, Options


@dataclass(frozen=True)
class _Asked:
    """What an action is done with."""

    screen: Screen
    jobs: Jobs
    source: Registry
    words: list[str]
    which: str
    options: Options


def run(
    screen: Screen,
    what: Annotated[str, "submit, list, show, cancel, resume or run"],
    words: Annotated[tuple[str, ...], "what that takes: a model with folders, files or patterns; or a job"] = (),
    *,
    which: Annotated[str, "a number or an alias of the model"] = "champion",
    threshold: Annotated[float | None, "leave out objects, and doubt names, that score less"] = None,
    format: Annotated[str, "layouts that the answers are written in too, such as coco,csv"] = "",
    chunk: Annotated[int, "pictures that a worker takes at once"] = 32,
    registry: Annotated[str | None, WHERE] = None,
) -> dict[str, Any]:
    """The job, or all of them."""
    from sightline.registering.registry import open_registry
    from sightline.serving.jobs import Options, open_jobs
    from sightline.serving.places import JOBS, beside, folder

    if what not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        raise UnknownNameError(f"jobs have no '{what}'.{nearest(what, _ACTIONS)} They have: {known}.")
    action, shape, fewest, most = _ACTIONS[what]
    if not fewest <= len(words) <= most:
        raise UsageError(f"write: sightline jobs {what} {shape}".rstrip())
    formats = tuple(filter(None, map(str.strip, format.split(","))))
    options = Options(threshold=threshold, formats=formats, chunk=chunk)
    with (
        open_registry(registry, create=False) as source,
        open_jobs(beside(registry, JOBS), folder(registry)) as jobs,
    ):
        return action(_Asked(screen, jobs, source, list(words), which, options))


def _submit(asked: _Asked) -> dict[str, Any]:
    name, *folders = asked.words
    job = asked.jobs.submit(name, folders, source=asked.source, which=asked.which, options=asked.options)
    asked.screen.say(f"{job.id}: {job.total:,} pictures for {job.model} {job.number}. Work on it: sightline jobs run")
    return {"job": job.to_json()}


def _list(asked: _Asked) -> dict[str, Any]:
    found = asked.jobs.every()
    rows = [("job", "model", "state", "pictures", "errors")]
    rows += [
        (job.id, f"{job.model} {job.number}", job.state, f"{job.answered:,} of {job.total:,}", f"{job.failed:,}")
        for job in found
    ]
    for line in columns(rows) if found else ["no jobs. Make one with: sightline jobs submit NAME FOLDER"]:
        asked.screen.say(line)
    return {"jobs": [job.to_json() for job in found]}


def _show(asked: _Asked) -> dict[str, Any]:
    return _told(asked.screen, asked.jobs.status(asked.words[0]))


def _cancel(asked: _Asked) -> dict[str, Any]:
    return _told(asked.screen, asked.jobs.cancel(asked.words[0]))


def _resume(asked: _Asked) -> dict[str, Any]:
    return _told(asked.screen, asked.jobs.resume(asked.words[0]))


def _run(asked: _Asked) -> dict[str, Any]:
    only = asked.words[0] if asked.words else None
    chunks = asked.jobs.run(asked.source, only=only, tell=asked.screen.tell)
    if only is None:
        asked.screen.say(f"{chunks:,} chunks answered; the queue is empty")
        return {"chunks": chunks}
    return {"chunks": chunks, **_told(asked.screen, asked.jobs.status(only))}


def _told(screen: Screen, job: Job) -> dict[str, Any]:
    screen.say(f"{job.id} {job.line}")
    if job.state == "done":
        screen.say(f"answers: {job.folder / 'predictions.jsonl'}, report: {job.folder / 'report.html'}")
    return {"job": job.to_json()}


_MANY = 1000
_ACTIONS: dict[str, tuple[Callable[[_Asked], dict[str, Any]], str, int, int]] = {
    "submit": (_submit, "NAME FOLDER...", 2, _MANY),
    "list": (_list, "", 0, 0),
    "show": (_show, "ID", 1, 1),
    "cancel": (_cancel, "ID", 1, 1),
    "resume": (_resume, "ID", 1, 1),
    "run": (_run, "[ID]", 0, 1),
}
