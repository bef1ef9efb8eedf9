"""What a worker does with a chunk of a job: answers, as a file of JSON lines that appears whole."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.annotations import to_json
from sightline.core.decisions import decide, settings_of
from sightline.core.errors import InputError, SightlineError
from sightline.core.files import write_durably
from sightline.core.image import FileImage
from sightline.core.sample import Sample
from sightline.predicting.model import Model, load
from sightline.registering.version import Source
from sightline.serving.job import Chunk, Finished, Job
from sightline.serving.job_report import PARTS, gather, part

if TYPE_CHECKING:
    from sightline.serving.leases import Leases

_RENEW = 10.0  # seconds between two words that this worker is alive


class Worker:
    """Answers chunks; the model of the last job stays open."""

    def __init__(self, leases: Leases, fail: Callable[[Job, str], object], source: Source) -> None:
        self.leases, self.fail, self.source = leases, fail, source
        self._open: tuple[str, Model] | None = None

    def __call__(self, chunk: Chunk) -> Finished:
        """Answer a chunk, or write the report; a reason that all pictures share fails the job."""
        job = chunk.job
        try:
            if chunk.last:
                gather(job, self.leases.parts(job.id))
                return Finished(chunk, True)
            return self._answered(chunk)
        except SightlineError as error:
            self.leases.release(job.id, chunk.first)
            self.fail(job, error.message)
            return Finished(chunk)
        except BaseException:
            self.leases.release(job.id, chunk.first)
            raise

    def _answered(self, chunk: Chunk) -> Finished:
        start, heard = time.perf_counter(), time.monotonic()
        model, rows = self._model(chunk.job), list[dict[str, Any]]()
        for sample, answer in model.predict_all(_samples(chunk.items), seed=chunk.job.options.seed):
            rows.append(_row(model, chunk.job, sample, answer))
            if time.monotonic() - heard > _RENEW:
                heard = time.monotonic()
                if not self.leases.renew(chunk.job.id, chunk.first):  # somebody else's, or cancelled
                    self.leases.release(chunk.job.id, chunk.first)
                    return Finished(chunk)
        write_part(chunk.job.folder, chunk.first, rows)
        failed = sum("error" in row for row in rows)
        return Finished(chunk, True, len(rows) - failed, failed, time.perf_counter() - start)

    def _model(self, job: Job) -> Model:
        if self._open is None or self._open[0] != job.seal:
            self._open = job.seal, load(self.source.version(job.model, job.number).path)
        return self._open[1]


def write_part(folder: Path, first: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """The answers of a chunk, whole and on the disk."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    write_durably(part(folder, first), text.encode())


def give_up(folder: Path, first: int, name: str) -> None:
    """A picture that took its workers with it."""
    error = {"code": "crashed", "message": "it took every process with it that tried to answer it"}
    write_part(folder, first, [{"id": name, "error": error}])


def tidy(job: Job) -> None:
    """Remove the parts of a job whose answers stand together."""
    shutil.rmtree(job.folder / PARTS, ignore_errors=True)


def _samples(items: Sequence[tuple[str, str]]) -> list[Sample]:
    return [Sample(name, (FileImage(Path(path)),)) for name, path in items]


def _row(model: Model, job: Job, sample: Sample, given: Any) -> dict[str, Any]:
    """As `sightline predict` says it."""
    if isinstance(given, InputError):
        return {"id": sample.id, "error": {"code": given.code, "message": given.message}}
    several, options = model.task.several, job.options
    answer = decide(given, **settings_of(model.card["thresholds"], several, options.threshold))
    row: dict[str, Any] = {"id": sample.id, "answer": to_json(answer)}
    decision = None if several else model.judge(answer, level=options.coverage, least=options.threshold)
    if decision is None:
        return row
    plain = {
        key: None if isinstance(value, float) and value != value else value for key, value in decision.to_json().items()
    }
    return {**row, "sure": not decision.unsure, "decision": plain}
