"""The page of filters says what the filters say of themselves, and shows each of them."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from sightline.core import catalog


@pytest.fixture
def table(maker: Callable[[str], ModuleType]) -> ModuleType:
    return maker("filters_table")


def test_the_page_is_current_and_names_every_filter(table: ModuleType, root: Path) -> None:
    text = (root / "docs" / "filters.md").read_text(encoding="utf-8")
    assert text == table.page(), "run: python docs/filters_table.py"
    assert [name for name in catalog.names("filters") if f"| `{name}` |" not in text] == []


def test_every_filter_has_its_picture(table: ModuleType, root: Path) -> None:
    for theme, names in table.themes().items():
        path = root / "docs" / "pictures" / f"filters_{theme}.jpg"
        assert path.is_file(), "run: python docs/filters_table.py"
        assert path.stat().st_size < 150_000
        with Image.open(path) as shown:
            assert shown.info["comment"].decode().split() == names, "run: python docs/filters_table.py"


def test_a_pair_shows_what_a_filter_does(table: ModuleType) -> None:
    before, after = table.pair("tone", "brightness")
    assert before.shape == after.shape
    assert after.mean() > before.mean()
