"""The package as text: what every test about the house reads."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "sightline"


def modules(package: Path = PACKAGE) -> Iterator[tuple[str, Path, ast.Module]]:
    """Each file of the package: its path inside, where it lies, and its syntax tree."""
    for path in sorted(package.rglob("*.py")):
        yield path.relative_to(package).as_posix(), path, tree_of(path, path.stat().st_mtime_ns)


@cache
def tree_of(path: Path, changed: int) -> ast.Module:
    """The syntax tree of a file as it was then; all together take seconds to make, and memory until forgotten."""
    return ast.parse(path.read_bytes(), str(path))


def room(inside: str) -> str:
    """The folder that a file stands in; '' for the package's own files."""
    return inside.split("/")[0] if "/" in inside else ""


def rooms(package: Path = PACKAGE) -> list[str]:
    """Every folder of the package that holds code."""
    return sorted({room(path.relative_to(package).as_posix()) for path in package.rglob("*.py")} - {""})


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, `if TYPE_CHECKING` left out."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        for name in ("body", "orelse", "finalbody"):
            waiting += getattr(node, name, [])
        for handler in getattr(node, "handlers", []):
            waiting += handler.body


def imported(node: ast.stmt) -> list[str]:
    """The top names of what an import statement brings; [] for other statements and for our own."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.split(".")[0]]
    return []
