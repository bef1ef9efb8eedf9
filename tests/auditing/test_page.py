"""The page of an audit: it stands alone, shows what was found, and nothing in it runs."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from sightline.auditing.audit import Audit, audit
from sightline.auditing.bars import histogram, rows
from sightline.auditing.page import write_page
from sightline.core.annotations import Objects, Regions
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.image import ArrayImage, encode
from sightline.core.known import remember
from sightline.core.sample import Sample
from tests.auditing.test_audit import folder, scene

BAD = "<script>alert(1)</script>\x00\u202e"


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether tags close as they open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(data: Dataset, path: Path) -> tuple[Audit, str]:
    made = audit(data)
    return made, write_page(path, made, data, command="sightline audit 'a b'").read_text()


def test_a_page_shows_what_was_found(tmp_path: Path) -> None:
    folder(tmp_path / "photos", 30, 30)
    (tmp_path / "photos" / "bad" / "flat.png").write_bytes(encode(np.full((40, 40, 3), 77, np.uint8)))
    (tmp_path / "photos" / "bad" / "cut.png").write_bytes(encode(scene(1))[:200])
    made, text = page_of(remember(open_data(tmp_path / "photos")), tmp_path / "page.html")
    tags = Tags(text)
    assert tags.open == []
    assert {"unreadable", "low_information"} <= {one.check for one in made.findings}
    for finding in made.findings:
        assert finding.text.split("; ")[0][1:] in text
        assert finding.do.split(";")[0] in text
    pictures = [attributes for tag, attributes in tags.tags if tag == "img"]
    assert any("bad/flat.png" in str(one["alt"]) for one in pictures)
    assert not any("cut.png" in str(one["alt"]) for one in pictures), "there is nothing to show of it"
    assert "bad/cut.png" in text
    assert text.count('class="histogram"') >= 8
    assert "boxes outside" in text, "what was looked for and not found is said"
    assert "sightline audit &#x27;a b&#x27;" in text


def test_nothing_runs_and_nothing_is_fetched(tmp_path: Path) -> None:
    samples = [
        Sample(f"{BAD}{n}", (ArrayImage(scene(n) if n else np.zeros((40, 40, 3), np.uint8)),)) for n in range(40)
    ]
    truth = Objects(np.array([[9, 9, 9, 9]], np.float32), np.array([0]), (BAD,))
    made, text = page_of(
        remember(Dataset([replace(one, truth=truth) for one in samples], name=BAD)), tmp_path / "page.html"
    )
    assert {"dark", "empty_boxes"} <= {one.check for one in made.findings}
    tags = Tags(text)
    assert {"script", "link", "iframe", "object"} & {tag for tag, _ in tags.tags} == set()
    assert all(str(attributes["src"]).startswith("data:image/") for tag, attributes in tags.tags if tag == "img")
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
    assert "\x00" not in text
    assert "default-src 'none'" in text
    assert re.search(r"https?://", text) is None


def test_labels_that_cannot_be_drawn_do_not_stop_the_page(tmp_path: Path) -> None:
    truth = Regions(np.full((9, 9), 7), ("a",))
    data = remember(Dataset([Sample(str(n), (ArrayImage(scene(n)),), truth) for n in range(3)]))
    made, text = page_of(data, tmp_path / "page.html")
    assert {"nameless", "maps_of_another_size"} == {one.check for one in made.findings}
    assert text.count("<img") == 6


def test_clean_data_has_a_page_too(tmp_path: Path) -> None:
    data = remember(Dataset([Sample(str(n), (ArrayImage(scene(n)),)) for n in range(9)]))
    _, text = page_of(data, tmp_path / "page.html")
    assert "nothing found" in text
    assert Tags(text).open == []


def test_bars() -> None:
    drawn = histogram("Blur", np.array([0.1, 0.2, 0.9, np.nan]), mark=(0.68, 1))
    assert drawn.count("var(--warn)") == 1
    assert "0.100" in drawn
    assert histogram("Blur", np.full(3, np.nan)) == ""
    assert "3 times 5.000" in histogram("Blur", np.full(3, 5.0))
    many = rows({f"name {n}": 100 - n for n in range(30)})
    assert "18 more names" in many
    assert "name 29" in many
