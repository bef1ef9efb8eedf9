"""The page of finders says what finders are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sightline.core import catalog

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_its_maker_writes_and_shows_every_finder() -> None:
    spec = importlib.util.spec_from_file_location("finders_page", DOCS / "finders_page.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert (DOCS / "finders.md").read_text(encoding="utf-8") == maker.page(), "run python docs/finders_page.py"
    shown = {path.stem for path in (DOCS / "pictures" / "finders").glob("*.jpg")}
    assert shown == set(catalog.names("finders"))
