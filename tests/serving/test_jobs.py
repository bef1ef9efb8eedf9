"""Batch jobs: every picture once, whatever is killed; errors of one harm no other; what comes out is the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from sightline.core.errors import InputError, ServingError, SettingsError, UnknownNameError
from sightline.core.progress import Event
from sightline.serving import leases
from sightline.serving.chunks import Worker
from sightline.serving.fixed import Fixed
from sightline.serving.job import ask
from sightline.serving.jobs import Chunk, Finished, Jobs, Options, open_jobs
from sightline.testing.bundles import levels, pictures

COUNT = 23


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Fixed:
    return Fixed([levels(tmp_path_factory.mktemp("shelf") / "levels.sightline", 1, "classify")])


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = pictures(tmp_path_factory.mktemp("photos") / "photos", COUNT)
    (folder / "broken.png").write_bytes(b"\x89PNG nothing")
    return folder


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with open_jobs(tmp_path / "jobs.db", tmp_path / "jobs") as opened:
        yield opened


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]


def test_every_picture_is_answered_once_and_in_order(jobs: Jobs, shelf: Fixed, photos: Path) -> None:
    told: list[Event] = []
    options = Options(chunk=5, formats=("csv",))
    job = jobs.submit("levels", [str(photos), str(photos / "0001.png")], source=shelf, options=options)
    assert (job.state, job.total, job.number) == ("queued", COUNT + 1, 1)
    assert jobs.run(shelf, tell=told.append) == 6  # five chunks and the report
    done = jobs.status(job.id)
    assert (done.state, done.done, done.failed, done.options) == ("done", COUNT, 1, options)
    assert done.line == f"done: {COUNT + 1} of {COUNT + 1} pictures, 1 could not be answered"
    found = rows(done.folder)
    assert [row["id"] for row in found] == sorted(str(path) for path in photos.iterdir())
    assert [row["decision"]["best"] for row in found[:6]] == ["v1", "bright"] * 3  # type: ignore[index]
    (bad,) = [row for row in found if "error" in row]
    assert bad["error"]["code"] in ("corrupt", "truncated", "unknown_format")  # type: ignore[index]
    report = json.loads((done.folder / "report.json").read_text())
    assert (report["pictures"], report["answers"], report["names"]["v1"]) == (COUNT + 1, COUNT, 12)
    assert report["unsure"] == sum(row.get("sure") is False for row in found)
    page = (done.folder / "report.html").read_text()
    assert "broken.png" in page
    assert "<script" not in page
    assert len((done.folder / "csv" / "labels.csv").read_text().splitlines()) >= COUNT
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "csv", "predictions.jsonl", "report.html", "report.json"
    ]  # fmt: skip
    assert {event.kind for event in told} == {"progress", "done"}
    assert jobs.run(shelf) == 0
    assert [one.id for one in jobs.every()] == [job.id]


def test_the_answers_are_those_of_predicting(jobs: Jobs, shelf: Fixed, photos: Path) -> None:
    from sightline.core.annotations import from_json
    from sightline.predicting.model import load

    job = jobs.submit("levels", [str(photos / "*2.png")], source=shelf)
    jobs.run(shelf, only=job.id)
    model = load(shelf.version("levels").path)
    for row in rows(job.folder):
        (answer,) = model.predict(row["id"])
        assert answer.gap(from_json(row["answer"])) == 0.0  # type: ignore[arg-type]


def test_a_job_is_cancelled_between_chunks_and_resumed(jobs: Jobs, shelf: Fixed, photos: Path) -> None:
    job = jobs.submit("levels", [str(photos)], source=shelf, options=Options(chunk=4))
    seen: list[int] = []

    def stop() -> bool:
        seen.append(1)
        return len(seen) > 2

    assert jobs.run(shelf, stop=stop) == 2
    assert jobs.cancel(job.id).state == "cancelled"
    assert jobs.run(shelf) == 0
    assert jobs.status(job.id).answered == 8
    with pytest.raises(ServingError, match="cancelled"):
        jobs._turn(job.id, ("running",), "done")
    assert jobs.resume(job.id).state == "queued"
    assert jobs.run(shelf) == 5
    assert jobs.status(job.id).state == "done"
    with pytest.raises(ServingError) as caught:
        jobs.cancel(job.id)
    assert caught.value.code == "conflict"
    assert jobs.submit("levels", [str(photos)], source=shelf).folder != job.folder


def test_what_is_wrong_is_said_at_once(jobs: Jobs, shelf: Fixed, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        jobs.submit("levels", [str(tmp_path / "empty")], source=shelf)
    with pytest.raises(ServingError, match="no job"):
        jobs.status("20260101-beef")
    with pytest.raises(ServingError, match=r"level 0\.95: 'levels' has no sets"):
        jobs.submit("levels", [str(photos)], source=shelf, options=Options(coverage=0.95))
    assert jobs.every() == []
    with pytest.raises(SettingsError):
        Options(chunk=0)
    with pytest.raises(UnknownNameError):
        Options(formats=("cocoa",))


def test_only_folders_that_may_be_read_are_named(shelf: Fixed, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "link.png").symlink_to(photos / "0001.png")
    (tmp_path / "room" / "own.png").write_bytes((photos / "0001.png").read_bytes())
    with open_jobs(tmp_path / "jobs.db", tmp_path / "jobs", roots=[tmp_path / "room"]) as jobs:
        for word in (str(photos), "../photos", str(tmp_path / "room" / ".." / ".."), str(tmp_path / "room")):
            with pytest.raises(ServingError) as caught:
                jobs.submit("levels", [word], source=shelf)
            assert caught.value.code == "forbidden"
        assert jobs.submit("levels", [str(tmp_path / "room" / "own.png")], source=shelf).total == 1


def test_a_reason_that_all_share_fails_the_job_and_only_it(
    jobs: Jobs, shelf: Fixed, photos: Path, tmp_path: Path
) -> None:
    broken = Fixed([levels(tmp_path / "levels.sightline", 1, "classify")])
    job = jobs.submit("levels", [str(photos)], source=shelf)
    other = jobs.submit("levels", [str(photos / "0001.png")], source=shelf)
    (tmp_path / "levels.sightline").write_bytes(b"gone")
    jobs.run(broken, only=job.id)
    failed = jobs.status(job.id)
    assert failed.state == "failed"
    assert "levels.sightline" in failed.why
    jobs.run(shelf)
    assert (jobs.status(other.id).state, jobs.status(job.id).state) == ("done", "failed")
    jobs.resume(job.id)
    jobs.run(shelf)
    assert jobs.status(job.id).state == "done"


def test_somebody_else_can_take_the_place_of_the_map(jobs: Jobs, shelf: Fixed, photos: Path) -> None:
    job = jobs.submit("levels", [str(photos)], source=shelf, options=Options(chunk=8))
    seen: list[int] = []

    def spread(work: Callable[[Chunk], Finished], chunks: Iterable[Chunk]) -> Iterator[Finished]:
        for chunk in chunks:
            seen.append(chunk.first)
            yield work(chunk)

    jobs.run(shelf, spread=spread)
    assert seen == [0, 8, 16, COUNT + 1]
    assert jobs.status(job.id).state == "done"


def expire(jobs: Jobs) -> None:
    with jobs.database.write() as connection:
        ask(connection, "UPDATE job_chunks SET until = 0 WHERE state = 'taken'")


def test_a_chunk_may_be_given_back_and_the_report_comes_last(jobs: Jobs, shelf: Fixed, photos: Path) -> None:
    job = jobs.submit("levels", [str(photos / "000?.png")], source=shelf, options=Options(chunk=5, threshold=1.0))
    for _ in range(leases.ATTEMPTS + 1):
        taken = jobs.leases.take()
        assert taken is not None
        assert (taken[1], len(taken[2])) == (0, 5)
        assert jobs.leases.release(job.id, 0)
    first, second = (next(jobs._chunks(None, lambda: False)) for _ in range(2))
    assert jobs.leases.take() is None  # no report while pictures are with somebody
    for chunk in (first, second):
        assert jobs.leases.finish(Worker(jobs.leases, jobs.fail, shelf)(chunk))
    jobs.run(shelf)
    assert json.loads((job.folder / "report.json").read_text())["unsure"] == 10


def test_a_stolen_chunk_counts_once(jobs: Jobs, shelf: Fixed, photos: Path, tmp_path: Path) -> None:
    job = jobs.submit("levels", [str(photos)], source=shelf, options=Options(chunk=12))
    slow = next(jobs._chunks(None, lambda: False))
    expire(jobs)  # it was not heard of for too long
    with open_jobs(tmp_path / "jobs.db", tmp_path / "jobs") as others:
        quick = next(others._chunks(None, lambda: False))
        assert (quick.first, slow.first) == (0, 0)
        assert not jobs.leases.renew(job.id, 0)
        answered = Worker(others.leases, others.fail, shelf)(quick)
        assert others.leases.finish(answered)
        assert not jobs.leases.finish(Worker(jobs.leases, jobs.fail, shelf)(slow))
        assert jobs.status(job.id).answered == 12
    jobs.run(shelf)
    assert jobs.status(job.id).answered == COUNT + 1


def test_a_picture_that_kills_is_found_and_given_up(jobs: Jobs, shelf: Fixed, photos: Path) -> None:
    job = jobs.submit("levels", [str(photos / "000?.png")], source=shelf, options=Options(chunk=4))
    killed = 0
    while jobs.status(job.id).state != "done":
        chunk = next(jobs._chunks(None, lambda: False))
        if any(name.endswith("0002.png") for name, _ in chunk.items):
            killed += 1
            expire(jobs)  # its worker is gone
            continue
        assert jobs.leases.finish(Worker(jobs.leases, jobs.fail, shelf)(chunk))
        if chunk.last:
            jobs._turn(job.id, ("running",), "done")
    assert killed == 2 * leases.ATTEMPTS
    found = rows(job.folder)
    assert [row["error"]["code"] for row in found if "error" in row] == ["crashed"]  # type: ignore[index]
    assert [str(row["id"])[-8:] for row in found] == [f"000{place}.png" for place in range(10)]


CHILD = """
import sys
from sightline.serving import chunks
from sightline.serving.jobs import open_jobs
from sightline.serving.fixed import Fixed
import time
plain = chunks.write_part
def slowly(*given):
    time.sleep(0.03)
    plain(*given)
    time.sleep(0.03)
chunks.write_part = slowly
with open_jobs(sys.argv[1], sys.argv[2]) as jobs:
    print("ready", flush=True)
    jobs.run(Fixed([sys.argv[3]]))
"""


def test_kills_lose_nothing_and_repeat_little(jobs: Jobs, shelf: Fixed, photos: Path, tmp_path: Path) -> None:
    whole = jobs.submit("levels", [str(photos)], source=shelf, options=Options(chunk=2))
    jobs.run(shelf)
    job = jobs.submit("levels", [str(photos)], source=shelf, options=Options(chunk=2))
    for pause in (0.15, 0.35):
        words = [
            sys.executable,
            "-c",
            CHILD,
            str(tmp_path / "jobs.db"),
            str(tmp_path / "jobs"),
            str(shelf.version("levels").path),
        ]
        child = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        before = jobs.status(job.id).answered
        until = time.monotonic() + 20
        while jobs.status(job.id).answered == before and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(pause / 3)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert before < jobs.status(job.id).answered < COUNT + 1
    left = COUNT + 1 - jobs.status(job.id).answered
    start = time.monotonic()
    assert jobs.run(shelf) == left // 2 + 1  # at once: the lease of a process that is gone is none
    assert time.monotonic() - start < 30
    done = jobs.status(job.id)
    assert (done.state, done.done, done.failed) == ("done", COUNT, 1)
    assert (done.folder / "predictions.jsonl").read_bytes() == (whole.folder / "predictions.jsonl").read_bytes()
