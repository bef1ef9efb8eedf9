"""A missing library is one line that says what to install; a broken one keeps its traceback."""

import importlib
import sys
from pathlib import Path

import pytest

from sightline.core.errors import MissingExtraError
from sightline.core.extras import need


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
