"""A service on a registry: promoted and rolled back over HTTP, every answer of one version, all of it written down."""

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from sightline.core.encoding import encode
from sightline.registering.registry import open_registry
from sightline.serving.jobs import open_jobs
from sightline.serving.predictions import open_predictions
from sightline.testing.bundles import levels, picture

from .conftest import Running, Start, coloured, make_tokens

PREDICT = "/models/levels/predict"
RAW = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def start(starting: Start, tmp_path: Path) -> Start:
    """A service over a registry of two versions, with a folder that jobs may name and one that they may not."""
    with open_registry(tmp_path / "registry") as registry:
        for number in (1, 2):
            registry.register("levels", levels(tmp_path / f"levels-{number}", number, "classify"))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(encode(coloured("red")))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "two.png").write_bytes(encode(coloured("red")))
    tokens = make_tokens(tmp_path / "tokens.json")
    words = ("--workers", "1", "--token-file", "tokens.json", "--jobs", "photos", "--predictions", "durable")
    return lambda *more: starting(*words, *more, tokens=tokens)


@pytest.fixture
def running(start: Start) -> Running:
    return start("--limit", "job_workers=0")


def test_who_answers_is_changed_while_it_answers(running: Running, tmp_path: Path) -> None:
    admin = "/admin/models/levels"
    with running.client() as client:

        def version(**named: str) -> int:
            reply = client.post(PREDICT, content=picture(), headers=RAW, params=named)
            said = reply.json()
            if named and reply.status_code == 503:  # a version that nobody asked before is being loaded
                assert said["code"] == "not_ready"
                return 0
            assert reply.status_code == 200, said
            assert said["answer"]["names"][0] == f"v{said['version']}", "an answer of one version, named as another"
            return int(said["version"])

        def until(number: int, **named: str) -> None:
            began = time.monotonic()
            while version(**named) != number:
                assert time.monotonic() - began < 30
                time.sleep(0.02)

        assert version() == 1
        until(2, which="2")
        changed = client.post(f"{admin}/promote", json={"which": 2})
        assert changed.json() == {"name": "levels", "aliases": {"champion": 2}}
        until(2)
        assert client.post(f"{admin}/rollback", json={}).json()["aliases"] == {"champion": 1}
        until(1)
        assert client.post(f"{admin}/rollback", json={}).status_code == 409
        assert client.post(f"{admin}/promote", json={"which": 9}).status_code == 404
        assert client.post("/admin/models/other/promote", json={"which": 1}).status_code == 404
        assert client.post(f"{admin}/promote", json={"which": True}).status_code == 400, "no number of a version"
        assert client.put(f"{admin}/traffic", json={"traffic": {"nonsense": 1}}).status_code < 500
        bad = client.post(PREDICT, content=b"no picture", headers={**RAW, "X-Request-Id": "bad-one"})
        assert bad.status_code == 422
        last = client.post(PREDICT, content=picture(), headers={**RAW, "X-Request-Id": "last-one", "X-Caller": "ann"})
        assert last.status_code == 200
        with open_predictions(tmp_path / "registry" / "predictions.db", mode="durable") as log:
            rows = {row["request"]: row for row in log.rows()}  # durable: there before the answer was
        assert rows["last-one"]["number"] == 1
        assert rows["last-one"]["best"] == "v1"
        assert rows["last-one"]["caller"] not in ("", "ann")
        assert rows["bad-one"]["caller"] == ""
        assert rows["bad-one"]["error"] == "unknown_format"
    with open_registry(tmp_path / "registry") as registry:
        told = [entry for entry in registry.log("levels") if entry.who.startswith("token ")]
    assert {entry.what for entry in told} >= {"promote", "rollback"}


def test_jobs_are_queued_for_folders_that_are_allowed(running: Running) -> None:
    with running.client() as client:
        job = client.post("/jobs", json={"model": "levels", "folders": ["photos"], "which": 2}).json()
        assert (job["model"], job["version"], job["total"], job["state"]) == ("levels", 2, 1, "queued")
        assert client.get("/jobs").json()["jobs"] == [job]
        assert client.get(f"/jobs/{job['id']}").json() == job
        for folder in ("secret", "photos/../secret", "..", "/etc", "/"):
            reply = client.post("/jobs", json={"model": "levels", "folders": [folder]})
            assert (reply.status_code, reply.json()["code"]) == (403, "forbidden"), folder
        for folders in ([], [""], ["a\x00b"], ["\ud800"]):
            assert client.post("/jobs", content=_json(folders), headers=_JSON).status_code == 400
        for odd in (
            {"which": True}, {"least": True}, {"level": "0.9"}, {"least": 7}, {"level": -1}, {"level": 0.7},
            {"lest": 0.5},
        ):  # fmt: skip
            assert client.post("/jobs", json={"model": "levels", "folders": ["photos"], **odd}).status_code == 400
        for unknown in ({"model": "nobody"}, {"which": 9}):
            reply = client.post("/jobs", json={"model": "levels", "folders": ["photos"], **unknown})
            assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
        assert client.delete(f"/jobs/{job['id']}").json()["state"] == "cancelled"
        assert client.get("/jobs/nothing").status_code == 404
    with running.client("read") as client:
        assert client.post("/jobs", json={"model": "levels", "folders": ["photos"]}).status_code == 403


def _ended(client: httpx2.Client, identity: str) -> dict[str, Any]:
    began = time.monotonic()
    while True:
        job: dict[str, Any] = client.get(f"/jobs/{identity}").json()
        if job["state"] not in ("queued", "running"):
            return job
        assert time.monotonic() - began < 60
        time.sleep(0.05)


def test_jobs_are_worked_on_beside_and_what_a_stop_leaves_is_finished_by_the_next(start: Start, tmp_path: Path) -> None:
    running = start()
    (tmp_path / "photos" / "bad.png").write_bytes(b"no picture")
    with running.client() as client:
        asked = {"model": "levels", "folders": ["photos"]}
        job = _ended(client, client.post("/jobs", json=asked).json()["id"])
        assert (job["state"], job["done"], job["failed"], job["total"]) == ("done", 1, 1, 2)
        slow = encode(np.random.default_rng(0).integers(0, 256, (700, 700, 3)).astype(np.uint8))  # to decode
        for number in range(200):
            (tmp_path / "photos" / f"{number}.png").write_bytes(slow)
        second = client.post("/jobs", json=asked).json()["id"]
        while client.get(f"/jobs/{second}").json()["done"] == 0:
            time.sleep(0.02)
        assert client.post(PREDICT, content=picture(), headers=RAW).status_code == 200
    assert running.stop() == 0
    assert not [line for line in running.lines() if line["event"] == "jobs"]
    with open_jobs(tmp_path / "registry" / "jobs.db", tmp_path / "registry" / "jobs") as jobs:
        assert jobs.status(second).state == "running", "a stop does not wait for jobs"
    with start().client() as client:
        job = _ended(client, second)
        assert (job["state"], job["done"], job["failed"]) == ("done", 201, 1)


def test_what_fails_at_jobs_is_said_while_the_service_goes_on(start: Start, tmp_path: Path) -> None:
    running, registry = start(), tmp_path / "registry"
    with open_registry(registry) as source, open_jobs(registry / "jobs.db", registry / "jobs") as jobs:
        for path in registry.glob("registry.db*"):
            path.rename(path.with_name(f"away-{path.name}"))
        (registry / "registry.db").write_bytes(b"no database" * 100)
        identity = jobs.submit("levels", [str(tmp_path / "photos")], source=source).id
        began = time.monotonic()
        while not (said := [line for line in running.lines() if line["event"] == "jobs"]):
            assert time.monotonic() - began < 30
            time.sleep(0.05)
        assert said[0]["status"] == 2, said
        assert "registry.db" in said[0]["why"]
        with running.client() as client:
            assert client.post(PREDICT, content=picture(), headers=RAW).status_code == 200
        assert jobs.status(identity).state == "queued"


def test_a_queue_that_is_away_for_a_while_is_told_and_found_again(start: Start, tmp_path: Path) -> None:
    running, place = start(), tmp_path / "registry" / "jobs.db"
    with running.client() as client:
        _altered(place, "ALTER TABLE job_chunks RENAME TO away")
        began = time.monotonic()
        while not (said := [line for line in running.lines() if line["event"] == "jobs"]):
            assert time.monotonic() - began < 30
            time.sleep(0.05)
        assert said[0]["code"] == "storage", said
        assert client.post(PREDICT, content=picture(), headers=RAW).status_code == 200
        _altered(place, "ALTER TABLE away RENAME TO job_chunks")
        job = client.post("/jobs", json={"model": "levels", "folders": ["photos"]}).json()
        assert _ended(client, job["id"])["state"] == "done"


def _altered(place: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(place)) as connection, connection:
        connection.execute(statement)


_JSON = {"Content-Type": "application/json"}


def _json(folders: list[str]) -> bytes:
    import json

    return json.dumps({"model": "levels", "folders": folders}).encode()
