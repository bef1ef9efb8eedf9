"""The command as a user runs it: a process of its own, in a folder of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sightline.cli import main
from tests.warm import words_of

BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Block())
from sightline.cli import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Command = Callable[..., Done]


def run(folder: Path, *words: str, blocked: Sequence[str] = (), timeout: float = 120) -> Done:
    """One command; `blocked` libraries cannot be imported, as if they were not installed."""
    cold = [sys.executable, "-c", BLOCKED.format(blocked=set(blocked)), *words]
    start = cold if blocked else words_of("-m", "sightline", *words)
    done = subprocess.run(start, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def sightline(tmp_path: Path) -> Command:
    """Run a command in an empty folder."""
    return lambda *words, **options: run(tmp_path, *words, **options)


@dataclass(frozen=True)
class Trained:
    """A run that the command made, and what it said meanwhile."""

    folder: Path
    done: Done
    words: tuple[str, ...]

    @property
    def run(self) -> Path:
        return self.folder / self.done.document["paths"]["run"]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A tiny classifier, trained once by the real command."""
    folder = tmp_path_factory.mktemp("trained")
    small = ("--set", "train.precision=float32", "--set", "train.layout=plain", "--listen", "jsonl")
    words = ("train", "drawn:parts?count=40&size=32", "--epochs", "2", "--batch", "8", *small, "--json")
    done = run(folder, *words)
    assert done.status == 0, done.err
    return Trained(folder, done, words)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """A command in this process, in an empty folder and without a registry of the user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIGHTLINE_REGISTRY", raising=False)

    def command(*words: str) -> Done:
        status = main([*words, "--quiet"])
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return command
