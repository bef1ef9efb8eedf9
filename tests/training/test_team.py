"""Several processes take each step together: they reach what one reaches, hear each other, and end together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from benchmarks.reliability.kill_training import newest, outcome, toy
from sightline.core.errors import RunError, SettingsError
from sightline.core.run import Run
from sightline.formats import jsonlines
from sightline.training.guard import Interrupted
from sightline.training.team import ALONE, Team
from sightline.training.train import train
from tests.training.workshop import QUICK, floats, once_at

DATA = "drawn:shapes?count=26&size=32&truth=picture"  # 18 to learn from: the last batch cannot be shared out evenly
LEARN: dict[str, Any] = {**QUICK, "optimiser": "sgd", "rate": 0.05, "threads": 1, "augment": True}
SCRIPT = (
    "import sys, json\nfrom sightline.training.train import train\n"
    "train(sys.argv[1], 'restore', out=sys.argv[2], settings=json.loads(sys.argv[3]), look=False)\n"
)


def restoring(out: Path, processes: int, **more: Any) -> Run:
    return train(DATA, "restore", out=out, settings={**LEARN, "processes": processes, **more}, look=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What two processes learn when nobody disturbs them."""
    return restoring(tmp_path_factory.mktemp("pair"), 2)


@pytest.mark.slow
def test_two_processes_reach_what_one_reaches(tmp_path: Path, pair: Run) -> None:
    alone = restoring(tmp_path, 1)
    mine, theirs = load_file(alone.weights), load_file(pair.weights)
    assert mine.keys() == theirs.keys()
    assert max(float(np.abs(mine[name] - theirs[name]).max()) for name in mine) < 1e-6
    for one, two in zip(alone.history, pair.history, strict=True):
        assert one["step"] == two["step"] == 3 * one["epoch"]
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)
        assert two["val"] == pytest.approx(one["val"], rel=1e-4)


@pytest.mark.slow
def test_a_killed_process_ends_all_and_the_same_command_continues_to_the_same_bits(tmp_path: Path, pair: Run) -> None:
    """The other one is killed first, then in what continues the first one; then nobody."""
    for count, victim in enumerate(("other", "first"), 1):
        _killed(tmp_path, 2 * count, victim)
        assert Run(tmp_path).info["state"] == "running"
    assert outcome(restoring(tmp_path, 2).path) == outcome(pair.path)


def _killed(folder: Path, checkpoints: int, victim: str) -> None:
    """Start or continue, kill one process when there are so many checkpoints, and see all of them end."""
    settings = {**LEARN, "processes": 2}
    words = [sys.executable, "-c", SCRIPT, DATA, str(folder), json.dumps({**settings, "checkpoint_seconds": 1e-3})]
    started = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    other = 0
    until = time.monotonic() + 100
    while newest(folder) < checkpoints and time.monotonic() < until:
        other = other or child_of(started.pid)
        time.sleep(0.002)
    assert other, "the second process never showed itself"
    os.kill(started.pid if victim == "first" else other, signal.SIGKILL)
    _, said = started.communicate(timeout=60)
    assert started.returncode != 0
    if victim == "other":
        assert "RunError: process 1 ended with -9" in said
    while alive(other) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(other)


@pytest.mark.slow
def test_a_signal_stops_all_at_one_place(tmp_path: Path, pair: Run) -> None:
    settings = {**LEARN, "processes": 2}
    stopping = once_at(2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train(DATA, "restore", out=tmp_path, settings=settings, look=False, tell=stopping)
    assert outcome(restoring(tmp_path, 2).path) == outcome(pair.path)


@pytest.mark.slow
def test_what_one_process_cannot_use_all_skip(tmp_path: Path) -> None:
    """Four poisoned pictures and one that is no picture fall into the shares of both processes."""
    poisoned = (5, 11, 22, 40)
    folder = jsonlines.write(floats(poisoned=poisoned), tmp_path / "data")
    broken = folder / json.loads((folder / "samples.jsonl").read_text().splitlines()[31])["images"][0]
    broken.write_bytes(b"\x93NUMPY cut short")
    settings = {**QUICK, "threads": 1}
    alone, both = (
        train(folder, out=tmp_path / str(n), settings={**settings, "processes": n}, look=False) for n in (1, 2)
    )
    lists = [json.loads((run.path / "skipped.json").read_bytes()) for run in (alone, both)]
    assert lists[0] == lists[1]
    assert {f"float-{index:02d}" for index in (*poisoned, 30)} >= set(lists[1])
    assert len(lists[1]) >= 4
    assert all(np.isfinite(value).all() for value in load_file(both.weights).values())


@pytest.mark.slow
def test_running_means_are_of_all_samples(tmp_path: Path) -> None:
    """With equal shares the mean of the shares' means is the mean of the batch."""
    settings = {**QUICK, "threads": 1, "epochs": 1, "batch": 64}
    means = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        run = train("drawn:shapes?count=20&size=32", out=out, settings={**settings, "processes": processes}, look=False)
        assert run.info["counts"]["train"] % 2 == 0
        means.append(load_file(run.weights)["model.stem.1.running_mean"])
    assert np.abs(means[0]).max() > 1e-3
    np.testing.assert_allclose(means[1], means[0], atol=1e-6)


def test_what_cannot_be_shared_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot see data in memory"):
        train(toy("labels"), out=tmp_path / "memory", settings={**QUICK, "processes": 2}, look=False)
    with pytest.raises(SettingsError, match=r"train\.processes = 0"):
        train(DATA, "restore", out=tmp_path / "none", settings={"processes": 0})


def test_one_process_asks_nobody() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    ALONE.add_gradients([weight])
    assert weight.grad is None
    assert ALONE.gather({"a": 1}) == [{"a": 1}]
    assert [Team(rank, 3).share(range(8)) for rank in range(3)] == [[0, 3, 6], [1, 4, 7], [2, 5]]


def child_of(process: int) -> int:
    """The member that a process has started, or 0 while there is none; other children come and go."""
    for child in _said(f"/proc/{process}/task/{process}/children").split():
        if "-m\0sightline.training\0" in _said(f"/proc/{int(child)}/cmdline"):
            return int(child)
    return 0


def _said(path: str) -> str:
    """A page of the kernel about a process, empty where it is gone."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def alive(process: int) -> bool:
    status = _said(f"/proc/{process}/status")
    return bool(status) and "\nState:\tZ" not in status
