"""A missing library is one line that says what to install; a broken one keeps its traceback."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.core.errors import MissingExtraError
from sightline.core.extras import expect, need


def test_what_is_there_is_imported() -> None:
    assert need("json").dumps([1]) == "[1]"


@pytest.mark.parametrize(("module", "extra"), [("onnxruntime", "runtime"), ("torch.nn", "train"), ("wandb", "wandb")])
def test_what_is_missing_is_named(module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module.split(".")[0], None)
    monkeypatch.delitem(sys.modules, module, raising=False) if "." in module else None
    with pytest.raises(MissingExtraError, match=rf"pip install 'sightline\[{extra}\]'"):
        need(module)


def test_a_library_that_is_broken_inside_keeps_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.py").write_text("import a_library_that_nobody_has")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="nobody_has"):
        need("mlflow")


def test_what_no_extra_brings_keeps_its_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        need("a_library_that_nobody_has")
    with pytest.raises(ModuleNotFoundError):
        need("json.nothing")


def test_what_another_process_needs_is_looked_for_and_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    expect("optuna")
    assert "optuna" not in sys.modules
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    with pytest.raises(MissingExtraError, match=r"pip install 'sightline\[tune\]'"):
        expect("optuna")


REPORTING = """
import os, sys, time
sys.argv = ["sightline", "doctor", "--json"]
from sightline.core.extras import need
need("onnxruntime").get_available_providers()
from sightline.cli import main
try:
    main()
except SystemExit as left:
    assert not left.code, left
time.sleep(0.3)
"""


def test_no_library_reports_what_it_was_used_for(tmp_path: Path) -> None:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    }
    subprocess.run(
        [sys.executable, "-c", REPORTING],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        env={**kept, "HOME": str(tmp_path)},
    )
    assert [path for path in tmp_path.rglob("*") if "telemetry" in path.name.lower() or path.name == "Microsoft"] == []
