"""A command that begins warm is what a fresh one would be: its words, folder, environment, streams, signals and end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.warm import ABLE, command, words_of

SAYS = """
import atexit, os, sys
atexit.register(print, "at the end")
print(sys.argv, os.getcwd(), os.environ.get("WARM"), "HOME" in os.environ, sys.stdin.read(), __name__, end=" ")
print("aside", file=sys.stderr)
"""
SLEEPS = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
pytestmark = pytest.mark.skipif(not ABLE, reason="every process is a fresh one here")


def both(folder: Path, *words: str) -> list[tuple[int, str, str]]:
    """How a fresh interpreter and a warm one end, and what they say."""
    env = {"WARM": "yes", "PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
    found = []
    for start in ([sys.executable, *words], words_of(*words)):
        done = subprocess.run(start, cwd=folder, env=env, input="given", capture_output=True, text=True, check=False)
        found.append((done.returncode, done.stdout, done.stderr))
    return found


@pytest.mark.parametrize(
    "end", ["", "sys.exit()", "sys.exit(3)", "sys.exit('gone')", "raise SystemExit(300)", "os.kill(os.getpid(), 9)"]
)
def test_it_says_and_ends_alike(end: str, tmp_path: Path) -> None:
    fresh, warm = both(tmp_path, "-c", SAYS + end, "one", "two words")
    assert warm == fresh
    assert "['-c', 'one', 'two words']" in fresh[1] or "9)" in end


def test_a_module_of_the_folder_runs_alike(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(SAYS + "import beside\nprint(sys.argv[0], sys.modules['__main__'].__spec__.name)")
    (tmp_path / "beside.py").write_text("")
    fresh, warm = both(tmp_path, "-m", "told", "word")
    assert warm == fresh
    assert fresh[0] == 0, fresh[2]


def test_an_error_is_told(tmp_path: Path) -> None:
    fresh, warm = both(tmp_path, "-c", "1 / 0")
    assert warm[0] == fresh[0] == 1
    assert "ZeroDivisionError" in warm[2]


def test_nothing_is_left_to_do_or_running_from_before(tmp_path: Path) -> None:
    code = "import atexit, os; print(atexit._ncallbacks(), len(os.listdir('/proc/self/task')))"
    fresh, warm = both(tmp_path, "-c", code)
    assert warm == fresh == (0, "0 1\n", "")


def test_nothing_of_ours_is_loaded_before(tmp_path: Path) -> None:
    code = "import sys; print([name for name in sys.modules if name.split('.')[0] in ('sightline', 'tests')])"
    assert [said for _, said, _ in both(tmp_path, "-c", code)] == ["[]\n"] * 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_reaches_it(number: signal.Signals) -> None:
    with subprocess.Popen(words_of("-c", SLEEPS), stdout=subprocess.PIPE, text=True) as asked:
        assert asked.stdout
        pid = int(asked.stdout.readline())
        assert pid != asked.pid
        asked.send_signal(number)
        assert asked.wait(20) == -number
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end, "it lives on"
        time.sleep(0.01)


def test_a_signal_may_be_answered() -> None:
    waits = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit('asked')); print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen(words_of("-c", waits), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asked:
        assert asked.stdout
        assert asked.stderr
        asked.stdout.readline()
        asked.terminate()
        assert asked.wait(20) == 1
        assert asked.stderr.read() == "asked\n"


def test_the_command_of_a_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sightline", "lst"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": command(tmp_path / "bin")},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "list" in done.stderr


def test_the_operators_of_onnx_are_looked_up_before_any_command() -> None:
    """A third of a small export; where torch keeps them elsewhere one day, this says so."""
    look = "import torch.onnx._internal.exporter._registration as found; print(found.onnxscript_apis."
    done = subprocess.run(
        words_of("-c", look + "get_torchlib_ops.cache_info().currsize)"), capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
