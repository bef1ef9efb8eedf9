"""The page of commands is what the commands say of themselves, and the tutorial stays short."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import sightline
from sightline.cli._command import words_of
from sightline.core import catalog


def test_the_page_of_commands_is_current(root: Path, maker: Callable[[str], ModuleType]) -> None:
    made = maker("generate").page()
    assert (root / "docs" / "commands.md").read_text(encoding="utf-8") == made, "run: python docs/generate.py"
    for name in catalog.names("cli"):
        assert f"## sightline {name}" in made
        for word in words_of(catalog.find("cli", name).run):
            assert word.help, f"{name} {word.spelt}"


def test_the_tutorial_has_fifteen_lines_or_fewer(root: Path) -> None:
    text = (root / "docs" / "tutorial.md").read_text(encoding="utf-8")
    first = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)[0]
    lines = [line for line in first.splitlines() if line.strip()]
    assert len(lines) <= 15
    for verb in ("open_data", "train", "evaluate", "export", "load", "predict"):
        assert f"{verb}(" in first


def test_every_public_name_is_where_the_table_says() -> None:
    assert sorted(sightline.__all__) == dir(sightline)
    for name in sightline.__all__:
        assert getattr(sightline, name) is not None
