"""What a run remembers: killed, stopped, filled up or flipped, it continues to the same bits or says what is wrong."""

import contextlib
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.kill_training import SETTINGS, outcome, toy
from sightline.core.errors import RunError, SightlineError, StorageError
from sightline.core.progress import Event
from sightline.core.run import Run
from sightline.training import checkpoint
from sightline.training.guard import Interrupted
from sightline.training.train import train
from tests.training.workshop import QUICK, loop, once_at, same, weights


@pytest.mark.slow
def test_kills_at_random_moments_end_bit_identical(root: Path) -> None:
    """0 of 3 bounds little; the benchmark of the same name takes 200."""
    command = [sys.executable, str(root / "benchmarks/reliability/kill_training.py"), "--kills", "3", "--each", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kills"] == 3
    assert told["different"] == 0
    assert set(told["workers"]) == {0, 2, 4}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_state_that_the_same_call_continues(tmp_path: Path, number: signal.Signals) -> None:
    whole = train(toy("labels"), out=tmp_path / "whole", settings=QUICK)
    stopping = once_at(4, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Interrupted) as caught:
        train(toy("labels"), out=tmp_path / "stopped", settings=QUICK, tell=stopping)
    assert caught.value.number == number
    assert Run(tmp_path / "stopped").info["state"] == "running"
    again = train(toy("labels"), out=tmp_path / "stopped", settings={**QUICK, "workers": 2})
    assert outcome(again.path) == outcome(whole.path)


def test_a_signal_in_validation_is_heard(tmp_path: Path) -> None:
    made = loop(tmp_path)
    made.asked.number = 0

    def ask() -> None:
        made.asked.number = signal.SIGTERM

    made.tell = once_at(len(made.train) // 8 + 1, ask)  # after the last step of the first epoch
    with pytest.raises(Interrupted):
        made.go()
    assert made.state.history == []
    assert made.state.place > 0


def test_a_second_signal_is_immediate(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(
        "import os, signal, time\nfrom sightline.training.guard import asking\n"
        "with asking():\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('asked', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(20)\n"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "asked\n"
    assert done.returncode == -signal.SIGTERM
    assert time.monotonic() - start < 15


def test_the_number_of_loader_threads_changes_nothing(tmp_path: Path) -> None:
    runs = [train(toy("objects"), out=tmp_path / str(n), settings={**QUICK, "workers": n}) for n in (0, 2, 4)]
    assert len({json.dumps(outcome(run.path)) for run in runs}) == 1


def test_equal_seeds_give_equal_weights_in_a_fresh_process_and_other_seeds_do_not(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom benchmarks.reliability.kill_training import *\n"
        "train(toy('labels'), out=sys.argv[1], settings={**SETTINGS, 'seed': int(sys.argv[2])})\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a"), "1"], check=True, timeout=120)
    for name, seed in (("b", 1), ("c", 2)):
        train(toy("labels"), out=tmp_path / name, settings={**SETTINGS, "seed": seed})
    first, second, third = (outcome(tmp_path / name)["weights"] for name in "abc")
    assert first == second != third


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(toy("labels"), out=tmp_path, settings=QUICK, tell=once_at(2, lambda: os.kill(os.getpid(), signal.SIGINT)))
    with pytest.raises(RunError, match=r"settings\.rate: 0\.002 -> 0\.01"):
        train(toy("labels"), out=tmp_path, settings={**QUICK, "rate": 0.01})
    with pytest.raises(RunError, match="fingerprint"):
        train(toy("labels", 60), out=tmp_path, settings=QUICK)


def test_a_finished_run_is_not_trained_again_and_can_be_extended(tmp_path: Path) -> None:
    first = train(toy("labels"), out=tmp_path / "a", settings=QUICK)
    before = outcome(first.path)
    train(toy("labels"), out=tmp_path / "a", settings=QUICK)
    assert outcome(first.path) == before
    straight = train(toy("labels"), out=tmp_path / "a", settings=QUICK, extend=2)
    assert [row["phase"] for row in straight.history] == [0, 0, 1, 1]
    assert straight.history[2]["rate"] > straight.history[1]["rate"], "an extension has a schedule of its own"
    train(toy("labels"), out=tmp_path / "b", settings=QUICK)
    asking = once_at(3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train(toy("labels"), out=tmp_path / "b", settings=QUICK, extend=2, tell=asking)
    again = train(toy("labels"), out=tmp_path / "b", settings=QUICK, extend=2)
    assert outcome(again.path) == outcome(straight.path)


def test_two_processes_cannot_hold_one_run(tmp_path: Path) -> None:
    from sightline.core.files import locked

    with locked(tmp_path / "run"), pytest.raises(RunError, match="in use by another process"):
        train(toy("labels"), out=tmp_path / "run", settings=QUICK)


def test_a_folder_with_remains_is_not_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match=r"no run\.json"):
        train(toy("labels"), out=tmp_path, settings=QUICK)


@contextlib.contextmanager
def failing(nth: int, number: int, counts: dict[str, int]) -> Iterator[None]:
    """The n-th write, sync or rename of this process fails as the operating system would make it fail."""
    real = {name: getattr(os, name) for name in ("write", "fsync", "replace")}

    def shim(name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            counts["calls"] += 1
            if counts["calls"] == nth:
                raise OSError(number, os.strerror(number))
            return real[name](*args, **more)

        return call

    for name in real:
        setattr(os, name, shim(name))
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def test_a_full_disk_at_every_nth_write_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    made = loop(tmp_path / "run")
    made.remember()
    good = checkpoint.load(made.memory)
    assert good is not None
    counts = {"calls": 0}
    with failing(0, errno.ENOSPC, counts):
        made.remember()
    total = counts["calls"]
    assert total >= 6, "a checkpoint is two files, each written, synced and renamed"
    for number in (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE):
        for nth in range(1, total + 1):
            made.state.step += 1
            with failing(nth, number, {"calls": 0}), pytest.raises(StorageError, match=r"could not write .* bytes\)"):
                made.remember()
            left = checkpoint.load(made.memory)
            assert left is not None
            assert left[1]["step"] <= made.state.step
            assert same_tensors(left[0], good[0])


def same_tensors(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)


def test_a_disk_that_fills_up_while_training_stops_it_with_one_line_and_it_continues(tmp_path: Path) -> None:
    whole = train(toy("labels"), out=tmp_path / "whole", settings=QUICK)
    counts = {"calls": 0}
    with failing(25, errno.ENOSPC, counts), pytest.raises(StorageError, match="Free some space"):
        train(toy("labels"), out=tmp_path / "full", settings={**QUICK, "checkpoint_seconds": 1e-6})
    again = train(toy("labels"), out=tmp_path / "full", settings=QUICK)
    assert outcome(again.path) == outcome(whole.path)


def test_flipped_and_cut_checkpoints_are_noticed_and_the_one_before_is_used(tmp_path: Path) -> None:
    """0 of 300 missed bounds the rate below 1 %."""
    made = loop(tmp_path)
    made.remember()
    made.state.step = 1
    made.remember()
    rng = random.Random(0)
    files = sorted(made.memory.iterdir())[2:]
    assert len(files) == 2
    whole = {path: path.read_bytes() for path in files}
    sizes = [len(data) for data in whole.values()]
    for trial in range(300):
        path = rng.choices(files, [1, 1] if trial % 2 else sizes)[0]
        data = bytearray(whole[path])
        if trial % 10 == 9:
            del data[rng.randrange(len(data)) :]
        else:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        found = checkpoint.load(made.memory)
        assert found is not None
        assert found[1]["step"] == 0, f"a damaged {path.name} was taken for whole"
        path.write_bytes(whole[path])
    for path in made.memory.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunError, match="none of the 2 checkpoints"):
        checkpoint.load(made.memory)


def test_two_checkpoints_are_kept_and_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    made = loop(tmp_path, checkpoint_seconds=1e-6)
    made.go()
    assert len(list(made.memory.glob("*.json"))) == len(list(made.memory.glob("*.safetensors"))) == checkpoint.KEEP
    (made.memory / ".0000000099.safetensors.1.partial").write_bytes(b"half")
    checkpoint.load(made.memory)
    assert not list(made.memory.glob(".*"))


def test_a_checkpoint_restores_network_average_and_optimiser(tmp_path: Path) -> None:
    made = loop(tmp_path)
    made.go()
    other = loop(tmp_path, seed=0)
    assert not same(weights(other), weights(made))
    assert other.recall()
    assert same(weights(other), weights(made))
    assert same_tensors(other.learner.tensors(), made.learner.tensors())
    assert other.state.to_json() == made.state.to_json()


def test_errors_of_a_run_are_the_users_to_fix(tmp_path: Path) -> None:
    with pytest.raises(SightlineError, match=r"train\.epochs = 0"):
        train(toy("labels"), out=tmp_path, settings={"epochs": 0})
    with pytest.raises(SightlineError, match=r"Did you mean 'epochs'"):
        train(toy("labels"), out=tmp_path, settings={"epoch": 1})
    with pytest.raises(SightlineError, match=r"train\.device = 'warp'"):
        train(toy("labels"), out=tmp_path, settings={**SETTINGS, "device": "warp"})


def test_events_tell_of_every_epoch(tmp_path: Path) -> None:
    said: list[Event] = []
    train(toy("labels"), out=tmp_path, settings=QUICK, tell=said.append)
    epochs = [event.facts for event in said if event.kind == "epoch"]
    assert [row["epoch"] for row in epochs] == [1, 2]
    assert epochs[0]["epochs"] == 2
    assert "accuracy" in epochs[0]["val"]
    assert said[-1].kind == "done"
