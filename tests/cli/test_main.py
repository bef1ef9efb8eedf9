"""What every command keeps: help at once, one line for what a user can fix, a status that scripts can trust."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sightline as package
from sightline.core import catalog
from tests.cli.conftest import Command

COMMANDS = [name.replace("_", "-") for name in catalog.names("cli")]


def test_help_names_every_command_with_a_line(sightline: Command) -> None:
    done = sightline("--help")
    assert (done.status, done.err) == (0, "")
    for name, line in catalog.describe("cli").items():
        assert line.endswith((".", "`")), name
        assert f"  {name.replace('_', '-')} " in done.out
        assert line in done.out
    assert sightline().out == done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_all_that_it_takes(name: str, sightline: Command) -> None:
    done = sightline(name, "--help")
    assert done.status == 0
    assert "--json" in done.out
    assert "--quiet" in done.out
    assert f"sightline {name}" in done.out


def test_help_needs_no_heavy_library(sightline: Command) -> None:
    heavy = ("numpy", "cv2", "PIL", "scipy", "torch", "onnxruntime", "pydantic", "rich", "typer")
    assert sightline("--help", blocked=heavy).status == 0
    assert sightline("--version", blocked=heavy).status == 0


def test_version(sightline: Command) -> None:
    assert sightline("--version").out == sightline("version").out == f"sightline {package.__version__}\n"
    assert sightline("version", "--json").document["version"] == package.__version__


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["trian"], ["error[unknown_name]", "Did you mean 'train'?"]),
        (["train", "x", "--epoch", "3"], ["error[usage]", "Did you mean '--epochs'?", "sightline train --help"]),
        (["train"], ["error[usage]", "data"]),
        (["train", "x", "--epochs", "many"], ["error[usage]", "--epochs", "integer"]),
        (["train", "no/such/folder"], ["error[missing]", "no/such/folder"]),
        (["train", "drawn:party"], ["error[unknown_name]", "Did you mean 'parts'?"]),
        (["train", "drawn:parts", "--task", "clasify"], ["error[unknown_name]", "Did you mean 'classify'?"]),
        (["train", "drawn:parts", "--set", "rate=1"], ["error[settings]", "Did you mean 'train.rate'?"]),
        (["train", "drawn:parts", "--set", "train.rat=1"], ["error[settings]", "'train.rat'", "Did you mean"]),
        (["train", "drawn:parts", "--set", "rate"], ["error[settings]", "name=value"]),
        (["train", "drawn:parts", "--settings", "none.toml"], ["error[settings]", "none.toml"]),
        (["train", "drawn:parts", "--listen", "tensorbord"], ["error[unknown_name]", "Did you mean 'tensorboard'?"]),
        (["audit", "junk"], ["error[ambiguous]", "junk"]),
        (["evaluate", "nothing"], ["error[bundle]", "'nothing': cannot be read as a bundle"]),
        (["evaluate", "junk"], ["error[bundle]", "junk"]),
        (["tune", "drawn:parts", "--minutes", "0"], ["error[settings]", "--minutes 0"]),
        (["tune", "drawn:parts", "--minutes", "nan"], ["error[settings]", "--minutes nan"]),
        (["advise", "drawn:parts", "--seconds", "-3"], ["error[settings]", "--seconds -3"]),
        (["advise", "drawn:parts", "--most", "0"], ["error[settings]", "--most 0"]),
        (["predict", "junk", "a.jpg"], ["error[bundle]", "junk"]),
        (["predict", "junk"], ["error[settings]", "--count"]),
        (["predict", "junk", "a.jpg", "--threshold", "7"], ["error[settings]", "0 to 1"]),
        (["export", "nothing"], ["error[run]", "nothing"]),
        (["report", "nothing"], ["error[run]", "nothing"]),
        (["compare", "a"], ["error[usage]", "compare A B"]),
        (["compare", "nothing", "nowhere"], ["error[run]", "nothing"]),
        (["compare", "drawn:shapes", "drawn:shapes"], ["error[run]", "must be a run"]),
        (["list", "task"], ["error[unknown_name]", "Did you mean 'tasks'?"]),
        (["doctor", "no/such/folder"], ["error[missing]"]),
        (["--quiet", "list"], ["error[usage]", "sightline COMMAND --quiet"]),
    ],
)
def test_what_a_user_can_fix_is_one_line(
    words: list[str], parts: list[str], sightline: Command, tmp_path: Path
) -> None:
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "notes.txt").write_text("nothing to see")
    said = sightline(*words, "--quiet") if words[0] != "--quiet" else sightline(*words)
    assert said.status == 2, said
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.err

    machine = sightline(*words, "--json", "--quiet")
    assert (machine.status, machine.err) == (2, "")
    assert machine.document["schema"] == 1
    assert machine.document["error"]["message"] in said.err


def test_what_words_and_data_refuse_needs_no_torch(sightline: Command) -> None:
    for words, code in (("no/such/folder", "missing"), ("drawn:party", "unknown_name")):
        done = sightline("train", words, blocked=("torch",))
        assert (done.status, done.err.startswith(f"error[{code}]")) == (2, True), done.err
    assert "torch" in sightline("train", "drawn:shapes?count=8", blocked=("torch",)).err


def test_names_of_strangers_cannot_steer_the_terminal(sightline: Command) -> None:
    done = sightline("audit", "\x1b[2Jgone\u202e")
    assert done.status == 2
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err


def test_a_bug_keeps_its_traceback(sightline: Command, tmp_path: Path) -> None:
    code = (
        "import sys, sightline.cli as c, sightline.cli.version as v; v.run = lambda screen: 1 / 0; c.main(['version'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_reader_that_goes_away_is_no_bug(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "sightline", "list"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_one_process_may_call_it_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The file of a command becomes a name of its package when it has been called: `list` is one."""
    from sightline.cli import main

    for _ in range(2):
        assert main(["list", "losses", "--quiet"]) == 0
    assert "cross_entropy" in capsys.readouterr().out


def test_list_counts_families_and_describes_entries(sightline: Command) -> None:
    families = sightline("list", "--json").document["families"]
    assert families["tasks"] == catalog.names("tasks")
    assert families["cli"] == catalog.names("cli")
    assert sightline("list", "tasks", "--json").document["entries"] == catalog.describe("tasks")
    assert "classify" in sightline("list", "tasks").out


def test_doctor_names_versions_and_describes_data(sightline: Command) -> None:
    done = sightline("doctor", "drawn:parts?count=8&size=32", "--json")
    assert done.status == 0
    found = done.document
    assert found["libraries"]["core"]["numpy"]
    assert found["machine"]["cores"] >= 1
    assert found["disk"]["runs"]["writable"]
    assert found["data"]["count"] == 8
    assert found["data"]["tasks"]["classify"]["strength"] == 2
    assert json.loads(done.err.splitlines()[0])["kind"] == "note"


def test_doctor_says_what_would_install_what_is_missing(tmp_path: Path) -> None:
    code = (
        "import importlib.metadata as m, sys; old = m.version\n"
        "def version(name):\n"
        "    if name in ('torch', 'onnxruntime'): raise m.PackageNotFoundError(name)\n"
        "    return old(name)\n"
        "m.version = version\n"
        "from sightline.cli import main\n"
        "status = main(['doctor'])\n"
        "assert 'torch' not in sys.modules and 'onnxruntime' not in sys.modules\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install 'sightline[train]'" in done.stdout
    assert "pip install 'sightline[runtime]'" in done.stdout
    assert "ONNX Runtime: not installed" in done.stdout


def test_a_missing_library_is_named_with_the_line_that_installs_it(sightline: Command) -> None:
    done = sightline("train", "drawn:parts?count=8&size=32", "--quiet", "--no-audit", blocked=["torch"])
    assert done.status == 2
    assert "pip install 'sightline[train]'" in done.err
    assert len(done.err.splitlines()) == 1
    done = sightline("train", "drawn:parts?count=4", "--listen", "tensorboard", blocked=["tensorboard"])
    assert "pip install 'sightline[tensorboard]'" in done.err
