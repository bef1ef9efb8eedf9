"""The page of finders says what finders are."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from sightline.core import catalog


def test_the_page_is_what_its_maker_writes_and_shows_every_finder(
    root: Path, maker: Callable[[str], ModuleType]
) -> None:
    docs = root / "docs"
    assert (docs / "finders.md").read_text(encoding="utf-8") == maker("finders_page").page(), (
        "run: python docs/finders_page.py"
    )
    shown = {path.stem for path in (docs / "pictures" / "finders").glob("*.jpg")}
    assert shown == set(catalog.names("finders"))
