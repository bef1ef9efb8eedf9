"""A run: the folder that holds everything one training left behind, and the list of such folders."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.core.errors import RunError, nearest
from sightline.core.files import canonical, write_durably

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Run:
    """Paths and records of one run; `run.json` is written whole at every change of state."""

    path: Path

    @property
    def exists(self) -> bool:
        return (self.path / "run.json").is_file()

    @property
    def info(self) -> dict[str, Any]:
        """Task, model, data, settings, facts, choices and state."""
        try:
            info = json.loads((self.path / "run.json").read_bytes())
        except OSError as error:
            raise RunError(f"{self.path} is not a run: it has no run.json.") from error
        except ValueError as error:
            raise RunError(f"{self.path / 'run.json'} is damaged: {error}. Start again in another folder.") from error
        found = info.get("format") if isinstance(info, dict) else None
        if found != FORMAT:
            raise RunError(f"{self.path} was written in format {found}; this version reads {FORMAT}.")
        return dict(info)

    def write(self, info: Mapping[str, Any]) -> None:
        write_durably(self.path / "run.json", canonical({"format": FORMAT, **info}))

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row an epoch, as plain numbers."""
        return read_lines(self.path / "metrics.jsonl")

    @property
    def settings(self) -> Path:
        """Every setting of the run, as `--settings` reads it."""
        return self.path / "settings.toml"

    def command(self, *more: str) -> str:
        """The command that makes such a run again, in a shell; DATA where it was in memory."""
        info = self.info
        where = shlex.quote(info["data"]["where"]) if info["data"]["where"] else "DATA"
        words = ["sightline", "train", where, "--task", info["task"], "--model", shlex.quote(info["model"])]
        return " ".join([*words, *more])

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    @property
    def weights(self) -> Path:
        return self.path / "weights.safetensors"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file (none where it is missing)."""
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}.") from error


def all_runs(folder: Path) -> list[Run]:
    """The runs in a folder, oldest first."""
    found = [Run(path.parent) for path in folder.glob("*/run.json")]
    return sorted(found, key=_created)


def _created(run: Run) -> tuple[str, str]:
    """A damaged run is listed first; one must not hide the others."""
    try:
        return str(run.info.get("created", "")), run.path.name
    except RunError:
        return "", run.path.name


def open_run(where: Any, folder: Path = Path("runs")) -> Run:
    """The run that a path, a run or the name of a run stands for."""
    if isinstance(where, Run):
        return where
    for path in (Path(where), folder / str(where)):
        if Run(path).exists:
            return Run(path)
    known = [run.path.name for run in all_runs(folder)] if folder.is_dir() else []
    raise RunError(
        f"no run at '{where}'.{nearest(str(where), known)}" + (f" Known: {', '.join(known)}." if known else "")
    )
