"""The page is whole, alone and harmless, and it holds the numbers."""

import base64
import dataclasses
import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import MissingExtraError, StorageError
from sightline.evaluating import chart, page
from sightline.evaluating.report import Example, Figure, Material, write_report
from tests.evaluating.test_charts import history

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</style></title></pre></code><iframe src=//evil>",
    "javascript:alert(1)",
    "--><b>",
    "a\x00b\udcffc\u202e",
    "&lt;script&gt;",
]
VOID = {"meta", "img", "br", "circle", "line"}
MINIMAL = Material("Cats", "naming", "small", "It works.")


class Page(HTMLParser):
    """A page as a strict reader sees it: every tag that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"double attribute in {tag}"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [given for name, given in self.tags if name == tag]


def picture(rows: int = 60, columns: int = 80, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3)).astype(np.uint8)


def full(words: list[str] | None = None) -> Material:
    a, b, c = words or ["cat", "dog", "fox"]
    return Material(
        title=f"Animals {a}",
        task=f"naming {b}",
        model=f"small {c}",
        verdict=f"Clearly better than always answering {a}.",
        trusted=["What it is sure of 80%"],
        doubted=[f"Foxes at night {b}"],
        sections=[(50, "<p>A study of cost</p>"), (40, "<p>A study of slices</p>")],
        facts={"Data": f"photos {a}", f"Seconds {b}": "182", "Fingerprint": "9f3c21aa"},
        figures=[
            Figure("accuracy", 0.912, 0.871, 0.944, "higher", 1214, "fresh samples", 0.234),
            Figure(f"log_loss {c}", 0.313, 0.242, 0.401, "lower", 1214, "fresh samples", 1.792),
        ],
        history=history(),
        confusion=([a, b, c], np.array([[31, 4, 0], [7, 58, 1], [2, 0, 17]])),
        worst=[Example(f"{a}.jpg", picture(seed=k), f"is {a}, answered {b}") for k in range(3)],
        typical=[Example(f"{c}.jpg", picture(seed=9)[..., :1], a)],
        parity=[{"part": a, "gap": "2.4e-07", "tolerance": "0.001", "verdict": "equal"}],
        notes=[f"{b} was skipped"],
        untested=[f"Other cameras {c}"],
        reproduce=f"sightline train '{a}'",
    )


def read(tmp_path: Path, material: Material) -> tuple[Page, str]:
    path = write_report(tmp_path / "report.html", material)
    text = path.read_text(encoding="utf-8")
    return Page(text), text


def test_everything_that_is_known_is_on_the_page_in_its_order(tmp_path: Path) -> None:
    shown, _ = read(tmp_path, full())
    heads = [
        "Animals cat", "Can be trusted with", "sure of 80%", "Must not be used for", "Foxes at night", "How good it is",
        "What it mixes up", "A study of slices", "Worst mistakes", "Typical answers", "A study of cost",
        "How it learned", "The exported model is the trained model", "What was seen in the data",
        "What was not tested", "This run", "Do it again",
    ]  # fmt: skip
    places = [shown.text.index(head) for head in heads]
    assert places == sorted(places)
    numbers = (
        "0.912",
        "0.871 to 0.944",
        "0.234",
        "0.313",
        "0.242 to 0.401",
        "1.792",
        "1,214",
        "106 of 120 right",
        "9f3c21aa",
    )
    for word in (*numbers, "2.4e-07", "kept: epoch 4, 0.900", "dog was skipped", "Other cameras fox", "182"):
        assert word in shown.text, word
    assert shown.text.index("0.912") < shown.text.index("How good it is"), "the key number comes first"


def test_the_names_mixed_up_most_come_first(tmp_path: Path) -> None:
    shown, _ = read(tmp_path, full())
    table = shown.text[shown.text.index("Names mixed up most") :]
    assert re.search(r"dog cat 7 11% cat dog 4 11% fox cat 2 11%", table)


def test_nothing_is_fetched_and_nothing_runs(tmp_path: Path) -> None:
    shown, text = read(tmp_path, full())
    assert "://" not in text
    assert not {"script", "iframe", "link", "object", "embed", "base", "form"} & {tag for tag, _ in shown.tags}
    for tag, given in shown.tags:
        for name, value in given.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert value.startswith(("data:image/webp;base64,", "#")), (tag, name)
    policy = next(given["content"] for given in shown.all("meta") if given.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_of_strangers_stay_words(attack: str, tmp_path: Path) -> None:
    calm, _ = read(tmp_path, full())
    shown, text = read(tmp_path, full([attack, attack + "2", "3" + attack]))
    assert [tag for tag, _ in shown.tags] == [tag for tag, _ in calm.tags], "not one element more or less"
    assert [sorted(given) for _, given in shown.tags] == [sorted(given) for _, given in calm.tags]
    assert "\x00" not in text
    if attack.isprintable():
        assert f"{attack}.jpg" in shown.text
        assert any(given["alt"].startswith(f"{attack}.jpg") for given in shown.all("img"))


def test_little_material_makes_a_little_page(tmp_path: Path) -> None:
    shown, text = read(tmp_path, MINIMAL)
    assert "It works." in shown.text
    assert not shown.all("section")
    assert not shown.all("img")
    assert len(text) < 10_000
    empty = dataclasses.replace(MINIMAL, history=history(1), confusion=(["one"], np.array([[3]])))
    assert not read(tmp_path, empty)[0].all("section")


def test_numbers_that_are_none_are_shown_sanely(tmp_path: Path) -> None:
    odd = [
        Figure("a", math.nan, math.nan, math.nan, "higher", 0, ""),
        Figure("b", math.inf, -math.inf, math.inf, "lower", 3, "", 0.5),
        Figure("c", 0.5, math.nan, math.nan, "lower", 3, "", 0.25),
        Figure("d", 0.0, 0.0, 0.0, "lower", 3, "", math.nan),
    ]
    for place in range(len(odd)):
        figures = [*odd[place:], *odd[:place]]
        shown, text = read(tmp_path, dataclasses.replace(MINIMAL, figures=figures))
        assert not re.search(r"\b(nan|inf|None)\b", text)
        assert "–" in shown.text


@pytest.mark.parametrize(
    ("low", "high", "better", "says"),
    [
        (0.3, 0.5, "higher", "clearly better than the baseline"),
        (0.3, 0.5, "lower", "worse than the baseline"),
        (0.1, 0.3, "higher", "not clearly better"),
        (0.1, 0.3, "lower", "not clearly better"),
        (0.05, 0.1, "higher", "worse than the baseline"),
        (0.05, 0.1, "lower", "clearly better than the baseline"),
        (math.nan, math.nan, "lower", "baseline not tested against"),
    ],
)
def test_the_verdict_is_as_sure_as_the_interval(
    low: float, high: float, better: str, says: str, tmp_path: Path
) -> None:
    figure = Figure("score", 0.2, low, high, better, 9, "", 0.2)
    badge = read(tmp_path, dataclasses.replace(MINIMAL, figures=[figure]))[0].text
    assert says in badge
    assert ("✓" in badge) == (says == "clearly better than the baseline")


def test_an_export_that_differs_is_not_called_the_same(tmp_path: Path) -> None:
    rows = [{"part": "a", "gap": "1", "tolerance": "0", "verdict": "differs"}, {"part": "b", "verdict": "equal"}]
    shown, _ = read(tmp_path, dataclasses.replace(MINIMAL, parity=rows))
    assert "differs from the trained model" in shown.text


def test_pictures_are_those_given_and_small_ones_keep_every_pixel(tmp_path: Path) -> None:
    small, large = picture(), np.full((900, 1800, 3), (200, 30, 60), np.uint8)
    shown, _ = read(tmp_path, dataclasses.replace(MINIMAL, worst=[Example("s", small), Example("l", large, "why")]))
    first, second = [Image.open(io.BytesIO(base64.b64decode(given["src"].split(",")[1]))) for given in shown.all("img")]
    assert (np.asarray(first) == small).all()
    assert second.size == (640, 320)
    assert np.abs(np.asarray(second).astype(int) - [200, 30, 60]).max() < 8
    assert [given["alt"] for given in shown.all("img")] == ["s", "l: why"]


def test_many_large_pictures_still_make_a_small_page(tmp_path: Path) -> None:
    noise = [Example(f"{k}.jpg", picture(700, 900, k)) for k in range(24)]
    _, text = read(tmp_path, dataclasses.replace(MINIMAL, worst=noise))
    assert len(text) < 3 * 2**20


def test_a_person_who_cannot_see_gets_the_same(tmp_path: Path) -> None:
    shown, text = read(tmp_path, full())
    assert all(given.get("alt") for given in shown.all("img"))
    assert all(given.get("aria-label") and given.get("role") == "img" for given in shown.all("svg"))
    assert all(given.get("scope") in ("col", "row") for given in shown.all("th"))
    assert len(shown.all("h1")) == 1
    assert len(shown.all("caption")) == len(shown.all("table")) > 0
    assert 'lang="en"' in text
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_long_lists_are_folded(tmp_path: Path) -> None:
    shown, _ = read(tmp_path, dataclasses.replace(MINIMAL, notes=[f"note {k}" for k in range(100)]))
    assert "60 more" in shown.text
    assert "note 99" in shown.text


def test_without_the_chart_library_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str) -> Any:
        raise MissingExtraError("matplotlib is not installed. It comes with an extra: pip install 'sightline[report]'")

    monkeypatch.setattr(chart, "need", absent)
    shown, _ = read(tmp_path, full())
    assert "pip install 'sightline[report]'" in shown.text
    assert "Validation accuracy: 0.870 in epoch 1" in shown.text, "what the chart would have said"
    assert shown.all("img"), "pictures need no chart library"


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write_report(tmp_path / "new" / "report.html", MINIMAL)
    assert path.is_file()
    with pytest.raises(StorageError):
        write_report(path / "below" / "report.html", MINIMAL)
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def test_the_same_material_makes_the_same_page(tmp_path: Path) -> None:
    assert read(tmp_path, full())[1] == read(tmp_path, full())[1]


def test_escaping_is_complete() -> None:
    assert page.escape("<a href=\"x\" title='y'>&") == "&lt;a href=&quot;x&quot; title=&#x27;y&#x27;&gt;&amp;"
    assert page.escape("a\x07b\udcff") == "a\ufffdb?"
