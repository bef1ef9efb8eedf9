"""What is asked of a model beyond its metrics; a study is one file here and needs no edit elsewhere.

A study offers `study(scene)`, plain JSON that the run keeps or None where it has nothing to say of this record, and
`section(found, scene)`, its part of the report, where `ORDER` says how early it comes.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def all_studies() -> dict[str, ModuleType]:
    """Every study by name, in the order of the report."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")]
    loaded = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return dict(sorted(loaded.items(), key=lambda pair: (pair[1].ORDER, pair[0])))
