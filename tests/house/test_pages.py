"""The pages cannot rot: their blocks run, and they name what is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.core import errors
from tests.house._source import PACKAGE, ROOT, rooms
from tests.warm import command, words_of

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.M | re.S)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The (language, text) blocks of a page that run; `console` and `text` blocks only show."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """In order, in one empty folder, each in a process of its own, with the command on the path.

    The first block of the first page runs as its reader's: with nothing loaded before.
    """
    warm = command(tmp_path / ".warm")
    for number, (language, text) in enumerate(blocks(page), 1):
        fresh = page.name == "README.md" and number == 1
        path = os.pathsep.join([*([] if fresh else [warm]), str(Path(sys.executable).parent), os.environ["PATH"]])
        words = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else words_of("-c", text)
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{page.name}, block {number}:\n{text}\n{done.stdout}\n{done.stderr}"


def test_a_planted_block_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\nfalse\n```\n\n```console\n$ rm x\n```\n\n```python\nprint(1)\n```\n")
    assert blocks(page) == [("bash", "false\n"), ("python", "print(1)\n")]


def test_the_plan_names_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    assert [name for name in rooms() if f"`{name}/`" not in page] == []


def test_the_plan_names_every_noun_of_core() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    nouns = [path.stem for path in sorted((PACKAGE / "core").glob("[a-z]*.py"))]
    assert [name for name in nouns if f"`{name}`" not in page] == []


def test_the_plan_calls_no_full_room_empty() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    before, after = page.split("## Rooms still empty")
    empty = set(re.findall(r"`([a-z]+)/`", after.split("\n## ")[0]))
    assert empty & set(rooms()) == set()
    around = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert set(re.findall(r"`([a-z]+)/`", before)) - set(rooms()) - around == set(), "named, and not there"


def test_every_error_code_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {
        *errors.INPUT_CODES,
        *errors.SERVING_CODES,
        *(kind.code for kind in classes if issubclass(kind, errors.SightlineError)),
    }
    assert sorted(code for code in codes if f"| `{code}` |" not in page) == []


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
