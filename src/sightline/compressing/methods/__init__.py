"""Ways to make a model smaller or faster; a method is one file here and needs no edit elsewhere.

A method offers `forms(subject, budget)`, which yields the forms it makes, `why_not(subject)`, a line where it cannot
(empty where it can), `ORDER`, `SHARE` of the time, and `USUAL`: whether a search tries it unasked.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from sightline.core.errors import UnknownNameError, nearest


def all_methods() -> dict[str, ModuleType]:
    """Every method by name, in the order in which they are tried."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")]
    loaded = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return dict(sorted(loaded.items(), key=lambda pair: (pair[1].ORDER, pair[0])))


def chosen(words: tuple[str, ...] = ()) -> dict[str, ModuleType]:
    """Those that are named, or all that are usual."""
    known = all_methods()
    for word in words:
        if word not in known:
            raise UnknownNameError(f"no method is called '{word}'.{nearest(word, known)} Methods: {', '.join(known)}.")
    return {name: method for name, method in known.items() if name in words or (not words and method.USUAL)}
