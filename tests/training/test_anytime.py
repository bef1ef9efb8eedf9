"""A run of a given time: every rung is kept, the best is the run, the time holds, and a kill costs seconds only."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.kill_training import toy
from sightline.core.errors import RunError, SettingsError
from sightline.core.files import digest_file
from sightline.core.progress import Event
from sightline.core.run import Run
from sightline.training import anytime
from sightline.training import plan as planning
from sightline.training.anytime import Climb, best
from sightline.training.guard import Interrupted
from sightline.training.plan import Measured, Rung, hopeless, hurried
from sightline.training.train import train
from tests.training.workshop import once_at

TOLD: dict[str, Any] = {"precision": "float32", "layout": "plain", "workers": 0, "threads": 1, "compile": "off"}

LATE = 12.0  # seconds: libraries and measuring on a machine with much else to do; how it keeps to its time: test_pace


def _book(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "ladder.json").read_text()))


def _trained(folder: Path, minutes: float = 0.15, **more: Any) -> tuple[Run, float]:
    start = time.monotonic()
    run = train(toy("labels", 96), out=folder, minutes=minutes, settings=TOLD, **more)
    return run, time.monotonic() - start


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, float]:
    folder = tmp_path_factory.mktemp("anytime")
    with pytest.MonkeyPatch.context() as patch:  # what is remembered of other trainings would shorten this one
        patch.setenv("SIGHTLINE_CACHE", str(folder / "cache"))
        return _trained(folder / "run")


def test_the_time_holds_and_the_folder_is_its_best_rung(done: tuple[Run, float]) -> None:
    run, seconds = done
    book = _book(run.path)
    assert seconds <= 9 + LATE
    assert abs(book["seconds"] - seconds) < 2
    assert book["state"] == run.info["state"] == "done"
    rung = run.path / "rungs" / run.info["rung"]
    assert rung.name.startswith(f"{book['best'] + 1}-")
    for name in ("weights.safetensors", "metrics.jsonl"):
        assert digest_file(run.path / name) == digest_file(rung / name)
    assert Run(rung).info["state"] == "done"
    assert run.info["model"] == book["rungs"][book["best"]]["model"]


def test_the_table_says_what_each_rung_reached(done: tuple[Run, float]) -> None:
    book = _book(done[0].path)
    rungs = [Rung(**row) for row in book["rungs"]]
    assert rungs[0].model == "ridge"
    assert rungs[0].closed
    finished = [rung for rung in rungs if rung.state == "done"]
    assert finished
    values = [rung.found["value"] for rung in finished if rung.found]
    kept = rungs[book["best"]].found
    assert kept is not None
    assert kept["value"] == max(values)
    assert kept["low"] <= kept["value"] <= kept["high"]
    assert [rung.until for rung in rungs] == sorted(rung.until for rung in rungs)
    assert {row["model"] for row in book["timed"]} >= {rung.model for rung in rungs}


@pytest.mark.parametrize(("minutes", "seconds"), [(1, 0.6), (5, 3.0), (20, 5.0), (600, 5.0)])
def test_a_candidate_is_tried_for_a_part_of_the_time_and_never_for_long(minutes: float, seconds: float) -> None:
    given: dict[str, Any] = dict.fromkeys(each.name for each in fields(Climb)) | {"wanted": {"minutes": minutes}}
    assert Climb(**given).trial == pytest.approx(seconds)


def test_what_could_not_be_the_last_rung_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anytime, "TRIALS", 10.0)  # however long that takes
    monkeypatch.setattr(planning, "FEWER", 1e9)
    run, _ = _trained(tmp_path, 0.15)
    assert [row["model"] for row in _book(run.path)["timed"]] == ["ridge", "small"]


@pytest.mark.parametrize(
    ("pictures", "epochs", "hopes"),
    [(1_000, 8.9, False), (1_000, 9.1, True), (29_999, 8.9, False), (30_000, 8.9, True), (30_000, 5.9, False)],
)
def test_a_larger_network_is_hoped_for_where_this_one_gets_half_as_many_epochs_again(
    pictures: int, epochs: float, hopes: bool
) -> None:
    assert hopeless(Measured("m", 0.001), pictures, epochs * pictures * 0.001 / 0.95) is not hopes


def test_a_baseline_is_left_out_where_a_network_needs_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "HURRIED", (0.0, 1e9))
    monkeypatch.setattr(planning, "PLENTY", 20)
    run, _ = _trained(tmp_path, 0.15)
    book = _book(run.path)
    assert "ridge" not in {row["model"] for row in [*book["timed"], *book["rungs"]]}
    assert run.info["model"] != "ridge"


@pytest.mark.parametrize(("epochs", "without"), [(0.1, False), (0.5, True), (9.9, True), (10.1, False), (80, False)])
def test_few_epochs_are_a_hurry_and_hardly_any_are_none(epochs: float, without: bool) -> None:
    assert hurried(epochs, 20_000) is without
    assert not hurried(epochs, 500), "few pictures are solved in no time"


def test_the_same_command_is_done_and_another_is_refused(done: tuple[Run, float]) -> None:
    run, _ = done
    before = digest_file(run.path / "run.json")
    start = time.monotonic()
    _trained(run.path)
    assert time.monotonic() - start < 10
    assert digest_file(run.path / "run.json") == before
    with pytest.raises(RunError, match="minutes"):
        _trained(run.path, 0.5)
    with pytest.raises(RunError, match="other settings"):
        train(toy("labels", 96), out=run.path, settings=TOLD)


def test_a_signal_stops_it_and_the_time_goes_on_where_it_was(tmp_path: Path) -> None:
    stopping = once_at(2, lambda: os.kill(os.getpid(), signal.SIGINT))
    start = time.monotonic()
    with pytest.raises(Interrupted):
        _trained(tmp_path, tell=stopping)
    first = time.monotonic() - start
    spent = json.loads((tmp_path / "spent.json").read_text())["seconds"]
    assert first - 3 <= spent <= first + 0.5
    said: list[Event] = []
    run, again = _trained(tmp_path, tell=said.append)
    assert any("continuing" in event.text for event in said)
    assert run.info["state"] == "done"
    assert first + again <= 9 + LATE  # both starts count


SCRIPT = """
import sys
from pathlib import Path
from benchmarks.reliability.kill_training import toy
from sightline.training.train import train
told = {"precision": "float32", "layout": "plain", "workers": 0, "threads": 1, "compile": "off"}
def tell(event):
    print(event.kind, event.text, flush=True)
train(toy("labels", 96), out=sys.argv[1], minutes=0.2, settings=told, tell=tell)
"""


def _killed_when(folder: Path, seen: str, count: int) -> bool:
    """Start it, and kill it without mercy when it has said something so often; whether it came so far."""
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            count -= line.startswith(seen)
            if not count:
                process.send_signal(signal.SIGKILL)
                return True
    return False


@pytest.mark.slow
def test_killed_in_every_rung_it_still_ends_with_the_best(tmp_path: Path) -> None:
    plans = []
    for seen, count in (("note plan", 1), ("start", 1), ("progress", 3)):  # planned, in the baseline, in the network
        _killed_when(tmp_path, seen, count)
        if (tmp_path / "ladder.json").exists():
            plans.append([(row["model"], row["until"]) for row in _book(tmp_path)["rungs"]])
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, capture_output=True)
    book = _book(tmp_path)
    plans.append([(row["model"], row["until"]) for row in book["rungs"]])
    assert plans[-1] == plans[-2], "the plan that was written down is kept"
    assert book["state"] == "done"
    assert Run(tmp_path).info["model"] == book["rungs"][book["best"]]["model"]
    assert book["seconds"] <= 12 + LATE


def test_a_model_that_is_named_has_the_time_for_itself(tmp_path: Path) -> None:
    run, _ = _trained(tmp_path, 0.1, model="lenet")
    assert [row["model"] for row in _book(tmp_path)["rungs"]] == ["lenet"]
    assert run.info["model"] == "lenet"
    assert len(run.history) >= 1


def test_any_task_has_a_time(tmp_path: Path) -> None:
    run = train(toy("objects", 64), out=tmp_path, minutes=0.1, settings=TOLD)
    assert run.info["state"] == "done"
    assert run.info["task"] == "detect"
    assert [row["model"] for row in _book(tmp_path)["rungs"]] == [run.info["model"]]


def test_networks_that_answer_too_slowly_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no network answers in 1e-06 ms"):
        train(toy("labels", 64), out=tmp_path, minutes=0.1, within=1e-6, settings=TOLD)
    for wrong in ({"minutes": 0.0}, {"minutes": -1.0}, {"within": 5.0}, {"minutes": 1.0, "extend": 2}):
        with pytest.raises(SettingsError, match="--"):
            train(toy("labels", 64), out=tmp_path, **wrong)  # type: ignore[arg-type]


def _rung(value: float | None, better: str = "higher", state: str = "done") -> Rung:
    found = None if value is None else {"value": value, "better": better}
    return Rung("any", 1.0, 1.0, 1.0, False, state, found)


def test_a_later_rung_takes_the_place_only_if_it_is_better() -> None:
    assert best([]) is None
    assert best([_rung(0.8), _rung(0.8)]) == 0
    assert best([_rung(0.8), _rung(0.9), _rung(0.85)]) == 1
    assert best([_rung(0.8, "lower"), _rung(0.9, "lower")]) == 0
    assert best([_rung(0.8), _rung(0.9, state="left out")]) == 0
    assert best([_rung(None), _rung(None)]) == 1
    assert best([_rung(None), _rung(0.1), _rung(None)]) == 1
