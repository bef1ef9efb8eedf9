"""Importing the package and asking for help are instant: in CPU time, so that a busy machine matters little."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

IMPORT, HELP = 0.020, 0.150  # seconds: on top of Python, and in all; 0.2 is promised
PYTHON = 0.015  # seconds that a bare start takes on the machine these limits were set on
RUNS = 20  # of which the least counts: also where the processor is shared with others, one is undisturbed


def seconds(words: list[str], folder: Path) -> float:
    """CPU seconds, user and system, of one fresh process; it must end well."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("COVERAGE", "COV_", "PYTEST"))}
    child = subprocess.Popen(words, cwd=folder, env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    said = child.stderr.read().decode() if child.stderr else ""
    if child.stderr:
        child.stderr.close()
    assert child.returncode == 0, said
    return usage.ru_utime + usage.ru_stime


def fastest(folder: Path, *commands: list[str]) -> list[float]:
    """The least of several runs of each command, taken in turn."""
    rounds = [[seconds(words, folder) for words in commands] for _ in range(RUNS)]
    return [min(column) for column in zip(*rounds, strict=True)]


def test_import_is_instant(tmp_path: Path) -> None:
    bare, ours = fastest(
        tmp_path, [sys.executable, "-c", "import re, typing"], [sys.executable, "-c", "import re, typing, sightline"]
    )
    assert ours - bare < IMPORT * max(1.0, bare / PYTHON)


def test_import_brings_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, sightline; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    heavy = {"numpy", "PIL", "cv2", "scipy", "pydantic", "typer", "rich", "torch", "onnxruntime"}
    assert heavy & set(done.stdout.split()) == set()


def test_help_is_instant(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("sightline")
    script = str(command) if command.exists() else shutil.which("sightline")
    assert script, "the command is not installed"
    bare, ours = fastest(tmp_path, [sys.executable, "-c", "pass"], [script, "--help"])
    assert ours < HELP * max(1.0, bare / PYTHON)
