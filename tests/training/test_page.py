"""docs/training.md says what the code says."""

import importlib.util
from dataclasses import fields
from pathlib import Path

from sightline.core import catalog
from sightline.training.settings import Settings


def test_the_page_is_current_and_every_setting_has_a_meaning(root: Path) -> None:
    spec = importlib.util.spec_from_file_location("training_page", root / "docs" / "training_page.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (root / "docs" / "training.md").read_text(encoding="utf-8")
    assert text == module.page(), "run: python docs/training_page.py"
    for cls in (Settings, *(catalog.find("tasks", name).TASK.Options for name in catalog.names("tasks"))):
        said = {name: meaning for name, _, meaning in module.commented(cls)}
        assert [one.name for one in fields(cls) if not said.get(one.name)] == []
