"""What a job leaves behind: its answers in order as JSON lines, as labels in layouts where asked, and a page."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.core.annotations import from_json
from sightline.core.dataset import Dataset
from sightline.core.files import canonical, naming, sync_folder, write_durably
from sightline.core.image import FileImage
from sightline.core.lost import Lost
from sightline.core.sample import Sample
from sightline.serving.job import Job

PARTS, ANSWERS, REPORT, PAGE = "parts", "predictions.jsonl", "report.json", "report.html"
_SHOWN = 40  # errors on the page


def part(folder: Path, first: int) -> Path:
    """The file of the chunk that begins there."""
    return folder / PARTS / f"{first:09}.jsonl"


@dataclass(slots=True)
class Counts:
    """What all answers come to."""

    answers: int = 0
    unsure: int = 0
    names: Counter[str] = field(default_factory=Counter)  # by pictures for names, by things for objects
    errors: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)  # the first ones

    def add(self, row: dict[str, Any]) -> None:
        """Count one row."""
        if error := row.get("error"):
            self.errors[error["code"]] += 1
            self.failed += [(row["id"], f"{error['code']}: {error['message']}")][: _SHOWN - len(self.failed)]
            return
        self.answers += 1
        self.unsure += row.get("sure") is False
        answer = row["answer"]
        if (best := row.get("decision")) is not None:
            self.names[best["best"]] += 1
        elif answer["kind"] == "objects" and isinstance(answer["classes"], list):
            self.names.update(answer["names"][place] for place in answer["classes"])
        elif answer["kind"] == "labels":
            self.names.update(answer["names"])


Items = Sequence[tuple[str, str]]  # names and paths of pictures


def gather(job: Job, parts: Sequence[tuple[int, Items]]) -> dict[str, Any]:
    """Put the parts of a job together; made again it is the same."""
    counts = Counts()
    _join(job.folder, [first for first, _ in parts], counts)
    paths = {name: path for _, items in parts for name, path in items} if job.options.formats else {}
    layouts = {name: _written(job, name, paths) for name in job.options.formats}
    found = {
        "job": job.id, "model": job.model, "number": job.number, "seal": job.seal, "words": list(job.words),
        "pictures": job.total, "answers": counts.answers, "unsure": counts.unsure,
        "names": dict(counts.names.most_common()), "errors": dict(counts.errors.most_common()), "layouts": layouts,
    }  # fmt: skip
    write_durably(job.folder / REPORT, canonical(found))
    write_durably(job.folder / PAGE, page(job, counts, layouts).encode())
    return found


def page(job: Job, counts: Counts, layouts: dict[str, list[str]]) -> str:
    """The report for people."""
    from sightline.evaluating.page import bullets, document, escape, pairs, section, table

    facts = {
        "model": f"{job.model}, version {job.number}", "pictures": f"{job.total:,}", "answers": f"{counts.answers:,}",
        "not sure": f"{counts.unsure:,}", "errors": f"{sum(counts.errors.values()):,}",
        "seconds of work": f"{job.seconds:.1f}", "named": ", ".join(job.words),
    }  # fmt: skip
    body = f"<h1>{escape(f'{job.model}: {counts.answers:,} of {job.total:,} pictures answered')}</h1>\n"
    body += section("The job", pairs(facts))
    if counts.names:
        every = sum(counts.names.values())
        rows = [(name, f"{count:,}", f"{count / every:.1%}") for name, count in counts.names.most_common(50)]
        body += section("What it found", table(("name", "count", "share"), rows, numbers=(1, 2), caption="names"))
    if counts.errors:
        codes = [(code, f"{count:,}") for code, count in counts.errors.most_common()]
        listed = bullets([f"{name}: {why}" for name, why in counts.failed])
        lead = "Each stopped none of the others."
        body += section("Errors", table(("code", "count"), codes, numbers=(1,), caption="errors") + listed, lead)
    for name, lost in layouts.items():
        body += section(f"As {name}", bullets(lost) if lost else "<p>Nothing was lost.</p>", f"In the folder {name}.")
    return document(f"job {job.id}", body)


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _join(folder: Path, firsts: Sequence[int], counts: Counts) -> None:
    """All parts in one file, which appears whole; a part at a time in memory."""
    target = folder / ANSWERS
    temporary = folder / f".{ANSWERS}.{os.getpid()}.partial"
    size = sum(part(folder, first).stat().st_size for first in firsts)
    with naming(target, size):
        try:
            with temporary.open("wb") as file:
                for first in firsts:
                    data = part(folder, first).read_bytes()
                    for line in data.splitlines():
                        counts.add(json.loads(line))
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            sync_folder(folder)
        finally:
            temporary.unlink(missing_ok=True)


def _written(job: Job, name: str, paths: dict[str, str]) -> list[str]:
    """The answers in a layout of labels beside the JSON lines; what it could not hold."""
    samples = [
        Sample(row["id"], (FileImage(Path(paths[row["id"]])),), from_json(row["answer"]))
        for row in rows_of(job.folder / ANSWERS)
        if "answer" in row
    ]
    out, lost = job.folder / name, Lost(name, strict=False)
    shutil.rmtree(out, ignore_errors=True)  # of a worker that died of it
    if samples:
        catalog.find("formats", name).write(Dataset(samples, name=job.model), out, lost=lost)
    return lost.lines
