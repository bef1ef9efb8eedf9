"""The floors hold, and a step across them is caught."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house._source import PACKAGE, ROOT, rooms


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_floors_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("core/planted.py", "from sightline import metrics"),
        ("metrics/planted.py", "from sightline.losses import labels"),
        ("losses/planted.py", "from sightline import tasks"),
        ("tasks/planted.py", "from sightline import training"),
        ("training/planted.py", "from sightline import tasks"),
        ("evaluating/planted.py", "from sightline import cli"),
        ("server/planted.py", "from sightline import cli"),
        ("drawers/planted.py", "from sightline import core"),
    ],
)
def test_a_planted_step_is_caught(where: str, line: str, tmp_path: Path) -> None:
    copy = tmp_path / "src" / "sightline"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (copy / "__init__.py").touch()
    for name in (where.split("/")[0], line.split()[-1], line.split()[1].split(".")[-1]):
        if name not in ("sightline", "labels"):
            (copy / name).mkdir(exist_ok=True)
            (copy / name / "__init__.py").touch()
    (copy / "losses" / "labels.py").touch()
    assert lint(tmp_path).returncode == (where.startswith("drawers")), "the copy itself must be sound"
    (copy / where).write_text(line + "\n")
    done = lint(tmp_path)
    assert done.returncode != 0, f"{where}: {line}"
    assert where.split("/")[0] in done.stdout


def test_every_folder_is_a_room_with_a_door() -> None:
    """A folder without `__init__.py` would escape the contracts, and hide from the catalog of a wheel."""
    assert [name for name in rooms() if not (PACKAGE / name / "__init__.py").is_file()] == []


def test_every_room_stands_on_a_floor() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {word.strip("()") for layer in contracts[0]["layers"] for word in layer.replace("|", " ").split()}
    assert set(rooms()) - named == set()
