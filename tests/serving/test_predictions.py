"""The log of predictions: what was answered is in it after a kill, and a full disk costs rows, never answers."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sightline.core.annotations import Annotation, Heatmap, Labels, Objects, Picture, Regions
from sightline.core.decisions import Decision
from sightline.core.errors import InputError, ServingError, SettingsError, StorageError
from sightline.core.progress import Event
from sightline.serving.asking import Ask, Reply
from sightline.serving.prediction import Prediction, answered, refused, slim
from sightline.serving.predictions import Keep, open_predictions
from sightline.serving.writer import Writer

ASK = Ask("parts", b"", caller="secret token", request="r1")


def reply(answer: Annotation, decision: Decision | None = None, **more: object) -> Reply:
    return Reply("parts", 3, "seal", "challenger", answer, decision, 0.5, **more)  # type: ignore[arg-type]


def row(number: int) -> Prediction:
    return Prediction(f"r{number}", "parts", 1, "champion", caller=f"c{number}", seconds=0.01)


def test_a_row_says_who_answered_what_and_nobody_reads_the_caller(tmp_path: Path) -> None:
    names = tuple(f"name {place}" for place in range(40))
    answer = Labels(names, np.linspace(0, 1, 40, dtype=np.float32), 0.25)
    decision = Decision("name 39", 1.0, names, 0.95, 0.25, "may be any of 40 names")
    with open_predictions(tmp_path / "log.db") as log:
        log.add(answered(ASK, reply(answer, decision, experiment="ab.0"), "d1", 0.02))
        log.add(answered(ASK, reply(answer, drawn="champion"), "d1", 0.02, shadow=True))
        error = ServingError("worker_lost", "died")
        error.arm, error.number, error.experiment = "challenger", 7, "ab.0"
        log.add(refused(ASK, error, "d2", 0.5))
        log.add(refused(ASK, InputError("corrupt", "x"), "d3"))
        assert log.writer.flush()
        log.label("r1", name="name 2")
        log.label("r1", name="name 3", source="inspection")
        first, second, lost, bad = log.rows("parts")
        assert [first["best"], first["score"], first["unsure"], first["label"]] == ["name 39", 1.0, True, "name 3"]
        assert first["answer"]["names"][0] == "name 39"
        assert (len(first["answer"]["names"]), first["answer"]["of"], first["decision"]["of"]) == (10, 40, 40)
        assert (first["arm"], first["number"], first["experiment"], first["shadow"]) == ("challenger", 3, "ab.0", False)
        assert (second["shadow"], second["error"], second["unsure"]) == (True, "fallback", None)
        assert second["arm"] == "champion"  # it was drawn, and could not answer
        assert (lost["status"], lost["error"], lost["arm"], lost["number"]) == (503, "worker_lost", "challenger", 7)
        assert (bad["status"], bad["arm"], bad["answer"]) == (422, "", None)
        assert first["caller"] == log.hashed("secret token") != ""
        key = first["caller"]
    assert b"secret token" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    with open_predictions(tmp_path / "log.db") as log:
        assert log.hashed("secret token") == key
    with open_predictions(tmp_path / "other.db") as log:
        assert log.hashed("secret token") != key


def test_no_pixel_is_kept() -> None:
    pixels = np.full((64, 64), 1, np.uint8)
    boxes = np.tile(np.float32([[1, 2, 3, 4]]), (150, 1))
    things = Objects(
        boxes, np.zeros(150, np.int64), ("nut",), np.linspace(0, 1, 150, dtype=np.float32), np.ones((150, 64, 64), bool)
    )
    kept = slim(things)
    assert (len(kept["boxes"]), kept["of"], "masks" in kept, kept["scores"][0]) == (100, 150, False, 1.0)
    assert slim(Regions(pixels, ("sky", "road")))["shares"] == {"road": 1.0}
    for record in (Picture(pixels), Heatmap(pixels.astype(np.float32), 0.5), Regions(pixels, ("a", "b"))):
        assert len(str(slim(record))) < 120
    assert answered(ASK, reply(things)).best == "nut"


def test_labels_say_something(tmp_path: Path) -> None:
    with open_predictions(tmp_path / "log.db") as log, pytest.raises(SettingsError):
        log.label("r1")
    with pytest.raises(SettingsError):
        open_predictions(tmp_path / "log.db", mode="quick")  # type: ignore[arg-type]


def test_old_rows_and_their_labels_go(tmp_path: Path) -> None:
    with open_predictions(tmp_path / "log.db", keep=Keep(rows=30, seconds=1000)) as log:
        for number in range(50):
            log.add(row(number))
        log.add(Prediction("old", "parts", time=time.time() - 2000))
        assert log.writer.flush()
        for number in (1, 49):
            log.label(f"r{number}", right=True)
        log.tidy()
        assert [found["request"] for found in log.rows()] == [f"r{number}" for number in range(21, 50)]  # without "old"
        assert [found["correct"] for found in log.rows(newest=2)] == [None, True]
        with sqlite3.connect(tmp_path / "log.db") as other:
            assert other.execute("SELECT request FROM prediction_labels").fetchall() == [("r49",)]
        other.close()


def test_reading_goes_by_pages(tmp_path: Path) -> None:
    with open_predictions(tmp_path / "log.db") as log:
        for number in range(25):
            log.add(row(number))
        assert log.writer.flush()
        assert [found["request"] for found in log.rows(page=7)] == [f"r{number}" for number in range(25)]
        assert [found["request"] for found in log.rows(newest=3, page=2)] == ["r22", "r23", "r24"]
        assert list(log.rows("another")) == list(log.rows("another", newest=3)) == []


CHILD = """
import sys, time
from sightline.serving.predictions import open_predictions
from sightline.serving.prediction import Prediction
mode, place = sys.argv[1:]
log = open_predictions(place, mode=mode)
number = 0
while True:
    saved = log.add(Prediction(f"r{number}", "parts", seconds=0.01))
    if mode == "durable":
        assert saved.result()
    else:
        time.sleep(0.002)
    print(f"r{number} {time.time()}", flush=True)
    number += 1
"""


@pytest.mark.parametrize("mode", ["fast", "durable"])
def test_a_kill_loses_what_the_mode_allows(mode: str, tmp_path: Path) -> None:
    place = tmp_path / "log.db"
    child = subprocess.Popen([sys.executable, "-c", CHILD, mode, str(place)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    until = time.time() + 0.7
    while time.time() < until:
        lines.append(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    killed = time.time()
    lines += [line for line in child.communicate()[0].splitlines() if len(line.split()) == 2]
    with open_predictions(place) as log:
        kept = {found["request"] for found in log.rows()}
        assert log.database.problems() == []
    lost = [float(when) for request, when in map(str.split, lines) if request not in kept]
    assert len(lines) > 20
    assert kept
    assert not lost if mode == "durable" else all(when > killed - 1 for when in lost)


FULL = """
import resource, sys, time
from sightline.serving.predictions import open_predictions
from sightline.serving.prediction import Prediction
log = open_predictions(sys.argv[1], mode="durable", most=300, tell=lambda event: print(event.kind))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
slowest = 0.0
for number in range(3000):
    start = time.perf_counter()
    log.add(Prediction(f"r{number}", "parts", answer={"text": "x" * 2000}))
    slowest = max(slowest, time.perf_counter() - start)
    if number % 100 == 0: time.sleep(0.01)
state = log.state()
assert state["problem"] and state["dropped"] > 1000, state
assert slowest < 0.5, slowest
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.close(20)
state = log.state()
assert not state["problem"] and state["written"] + state["dropped"] == 3000, state
print(state["written"])
"""


def test_a_full_disk_costs_rows_and_stops_nobody(tmp_path: Path) -> None:
    words = [sys.executable, "-c", FULL, str(tmp_path / "log.db")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *told, written = done.stdout.split()
    assert told == ["warn", "note"]
    with open_predictions(tmp_path / "log.db") as log:
        assert sum(1 for _ in log.rows()) == int(written)
        assert log.database.problems() == []


class Disk:
    """A place for rows that can be told to refuse."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.full = self.slow = 0

    def save(self, rows: list[int]) -> None:
        if self.slow:
            time.sleep(0.3)
        if self.full:
            self.full -= 1
            raise StorageError("the disk is full")
        if 13 in rows:
            raise ValueError("no table takes 13")
        self.rows += rows


def test_rows_are_held_while_the_disk_refuses_and_dropped_when_too_many() -> None:
    disk, told = Disk(), list[Event]()
    disk.full = 2
    writer = Writer(disk.save, most=5, tell=told.append)
    first = writer.put(0)
    assert first.result(5) is False
    later = [writer.put(number) for number in range(1, 9)]
    assert writer.flush(10)
    assert [saved.result(5) for saved in later[-4:]] == [False] * 4
    assert (disk.rows, writer.dropped, writer.problem) == ([0, 1, 2, 3, 4], 4, "")
    assert [event.kind for event in told] == ["warn", "note"]
    assert writer.put(9).result(5) is True
    writer.close()
    assert writer.put(10).result(0) is False


def test_a_row_that_no_table_takes_harms_no_other() -> None:
    disk, told = Disk(), list[Event]()
    writer = Writer(disk.save, rest=0.05, tell=told.append)
    for number in range(10, 16):
        writer.put(number)
    writer.close()
    assert (disk.rows, writer.dropped) == ([10, 11, 12, 14, 15], 1)
    assert "13" in told[0].text


def test_bytes_are_bounded_too_and_many_share_a_commit() -> None:
    disk = Disk()
    disk.slow = 1
    writer = Writer(disk.save, bytes=1000)
    saved = [writer.put(number, 100) for number in range(20)]
    assert writer.dropped >= 5
    assert len({id(future) for future in saved if not future.done()}) <= 2
    writer.close()
    assert len(disk.rows) == writer.written == 20 - writer.dropped


def test_an_answer_waits_for_a_slow_disk_no_longer_than_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.serving.predictions.PATIENCE", 0.05)
    with open_predictions(tmp_path / "log.db", mode="durable") as log:
        assert asyncio.run(log.taken(row(1))) in (True, False)
        with log.database.write():  # somebody else holds the database
            start = time.monotonic()
            assert asyncio.run(log.taken(row(2))) is False
            assert time.monotonic() - start < 2
        assert log.writer.flush(10)
        assert log.state()["unsaved"] >= 1
        assert {found["request"] for found in log.rows()} == {"r1", "r2"}
