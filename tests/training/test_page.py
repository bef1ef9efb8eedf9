"""docs/training.md says what the code says."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType

from sightline.core import catalog
from sightline.training.settings import Settings


def test_the_page_is_current_and_every_setting_has_a_meaning(root: Path, maker: Callable[[str], ModuleType]) -> None:
    module = maker("training_page")
    text = (root / "docs" / "training.md").read_text(encoding="utf-8")
    assert text == module.page(), "run: python docs/training_page.py"
    for cls in (Settings, *(catalog.find("tasks", name).TASK.Options for name in catalog.names("tasks"))):
        said = {name: meaning for name, _, meaning in module.commented(cls)}
        assert [one.name for one in fields(cls) if not said.get(one.name)] == []
