"""One noun a file, one screen a function."""

import ast

from tests.house._source import modules

FILE, FUNCTION = 350, 80


def test_files_are_short() -> None:
    long = {
        inside: count
        for inside, path, _ in modules()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > FILE
    }
    assert long == {}, f"more than {FILE} lines: split them by noun"


def test_functions_fit_a_screen() -> None:
    long = {
        f"{inside}:{node.name}": count
        for inside, _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION
    }
    assert long == {}, f"more than {FUNCTION} lines"


def test_a_task_file_hides_no_part() -> None:
    """Maths lives in losses, metrics and core.geometry; a long task file hides a part that has a name."""
    long = [
        inside
        for inside, path, _ in modules()
        if inside.startswith("tasks/") and len(path.read_text(encoding="utf-8").splitlines()) > 250
    ]
    assert long == []
