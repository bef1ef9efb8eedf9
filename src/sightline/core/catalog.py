"""Every part by family and name, found by where its file lies: nothing is registered, nothing runs on import."""

from __future__ import annotations

import ast
import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sightline.core.errors import UnknownNameError, nearest

MODULES = ("sources", "decoders", "formats", "models", "exporters", "listeners", "tasks", "cli")  # an entry is a file
FUNCTIONS = (  # an entry is a public function
    "checks",
    "augmentations",
    "filters",
    "finders",
    "features",
    "heads",
    "losses",
    "matchers",
    "metrics",
    "optimisers",
    "overlays",
    "schedules",
)
_HOME = Path(__file__).parent.parent


def names(family: str) -> list[str]:
    """The names of a family's entries, ours and those of installed packages."""
    return sorted({*_ours(family), *_theirs(family)})


def find(family: str, name: str) -> Any:
    """The module or function that this name stands for; `name:variant` asks the entry for one of its variants."""
    base, colon, variant = name.partition(":")
    if colon:
        return _variant(family, base, find(family, base), variant)
    ours = _ours(family)
    if name in ours:
        module, function, *_ = ours[name]
        loaded: ModuleType = importlib.import_module(module)
        return getattr(loaded, function) if function else loaded
    theirs = _theirs(family)
    if name in theirs:
        return theirs[name].load()
    known = sorted({*ours, *theirs})
    raise UnknownNameError(
        f"no {_one(family)} is called '{name}'.{nearest(name, known)} Known: {', '.join(known) or 'none'}."
    )


def _variant(family: str, name: str, entry: Any, variant: str) -> Any:
    if not hasattr(entry, "variant"):
        raise UnknownNameError(f"'{name}' has no variants: write {_one(family)} '{name}' without a colon.")
    return entry.variant(variant)


def _one(family: str) -> str:
    """The word for an entry of a family."""
    return family.removesuffix("es" if family.endswith("sses") else "s")


def describe(family: str) -> dict[str, str]:
    """Each name with the first line of its docstring; ours are read as text, not imported."""
    lines = {name: line if function else _first_line(path) for name, (_, function, line, path) in _ours(family).items()}
    for name, point in _theirs(family).items():
        lines[name] = f"{point.value} (from {point.dist.name if point.dist else 'another package'})"
    return dict(sorted(lines.items()))


@cache
def _ours(family: str) -> dict[str, tuple[str, str, str, Path]]:
    """name -> (module, function or "", first line of its docstring, file); only files of functions are parsed."""
    folder = _HOME / family
    found: dict[str, tuple[str, str, str, Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = path.stem
        if name.startswith("_") or (path.suffix != ".py" and not (path / "__init__.py").is_file()):
            continue
        path = path / "__init__.py" if path.is_dir() else path
        module = f"sightline.{family}.{name}"
        if family in MODULES:
            found[name] = (module, "", "", path)
            continue
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found[node.name] = (module, node.name, _line(node), path)
    return found


def _first_line(path: Path) -> str:
    return _line(ast.parse(path.read_bytes()))


def _line(node: ast.Module | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").split("\n")[0]


def _theirs(family: str) -> dict[str, Any]:
    return _points(family, tuple(sys.path))


@cache
def _points(family: str, path: tuple[str, ...]) -> dict[str, Any]:
    """Reading the metadata of every package takes long: once a family, and again when the path is another."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=f"sightline.{family}")}
