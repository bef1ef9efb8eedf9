"""One vocabulary: stages name no task, drawers have no name, and the project speaks only of itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house._source import PACKAGE, ROOT, modules, room

TASKS = {"classify", "detect", "embed", "generate", "restore"} | {
    path.stem for path in (PACKAGE / "tasks").glob("[a-z]*.py")
}
# The demonstration is a story about particular tasks, told with the same commands that a user types.
# The files of CVAT have an element of the name of a task.
MAY_NAME_TASKS = {"cli/demo.py", "formats/cvat.py", "formats/_cvat_write.py"}

DRAWERS = re.compile(r"(^|_)(utils?|helpers?|misc|common|stuff|tools?)(_|\.|$)")
# Spelt in halves, so that this file may be read by its own rule.
FORBIDDEN = [
    *("TO" + "DO", "FIX" + "ME", "XX" + "X", "/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"),
    *("pypi" + ".org", "python" + "hosted", "anaconda" + ".org", "npmjs" + ".", "crates" + ".io", "/opt/" + "pypi"),
]
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".cfg", ".json", ".html", ".css", ".js", ".sh", ""}
FOLDERS = ("src", "tests", "docs", "benchmarks", "recipes", "examples", ".ci", ".github")


def named_tasks(inside: str, tree: ast.Module) -> list[str]:
    if room(inside) == "tasks" or inside in MAY_NAME_TASKS:
        return []
    return [
        f"{inside}:{node.lineno} {node.value}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TASKS
    ]


def test_no_task_is_named_outside_tasks() -> None:
    found = [line for inside, _, tree in modules() for line in named_tasks(inside, tree)]
    assert found == [], "ask the task, do not branch on its name"


def test_a_planted_task_name_is_caught() -> None:
    tree = ast.parse('if task == "detect":\n    pass')
    assert named_tasks("training/planted.py", tree)
    assert named_tasks("tasks/planted.py", tree) == []


def texts() -> Iterator[Path]:
    """Every text file of the repository."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT and path.name != ".coverage")
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                yield path


@pytest.mark.parametrize("word", FORBIDDEN)
def test_no_forbidden_word(word: str) -> None:
    whole = re.compile(rf"\b{word}\b") if word.isalpha() else re.compile(re.escape(word))
    found = []
    for path in texts():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if whole.search(line)
        ]
    assert found == []


def test_no_file_is_a_drawer() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("src", "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if DRAWERS.search(path.name) or DRAWERS.search(path.parent.name)
    ]
    assert found == [], "name it after the noun that it holds"


def test_every_file_says_what_it_is() -> None:
    silent = [inside for inside, _, tree in modules() if not ast.get_docstring(tree)]
    assert silent == []


def test_every_public_name_says_why_it_is_there() -> None:
    silent = [
        f"{inside}:{node.lineno} {node.name}"
        for inside, _, tree in modules()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not any("overload" in ast.unparse(mark) for mark in node.decorator_list)
        and not ast.get_docstring(node)
    ]
    assert silent == []
