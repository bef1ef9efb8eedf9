"""From what a user names to a data set: a drawn world, a source, or a folder whose layout is recognised by looking."""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError, nearest

_LOOK = 100_000  # files that are counted to say what was found


def open_data(where: Any, *, format: str | None = None) -> Dataset:
    """The data set that a path, a pattern of paths, a `source:place` word or a `Dataset` stands for."""
    if isinstance(where, Dataset):
        return where
    from sightline.core.sides import is_sides, read_sides  # which opens the data that its file names

    word = str(where)
    scheme, colon, rest = word.partition(":")
    if colon and scheme in catalog.names("sources"):
        opened: Dataset = catalog.find("sources", scheme).read(rest)
        return opened
    path = Path(word)
    if not word or "\0" in word or not (os.path.lexists(path) or set(word) & set("*?[")):
        raise InputError("missing", _missing(path, scheme if colon else ""))
    if path.is_file() and is_sides(path):
        return read_sides(path, format=format)
    name = format or recognise(path)
    read: Dataset = catalog.find("formats", name).read(path)
    if not len(read):
        raise InputError("empty", f"{path} was read as {name} and holds no samples: {_found(path)}.")
    return read


def recognise(path: Path) -> str:
    """The one format whose natural reading this is; two are refused with both named."""
    seen = {name: catalog.find("formats", name).sniff(path) for name in catalog.names("formats")}
    natural = [name for name, fit in seen.items() if fit.strength == 2]
    if len(natural) == 1:
        return natural[0]
    if natural:
        reasons = "; ".join(f"{name}: {seen[name].why}" for name in natural)
        raise AmbiguousError(f"{path} can be read in {len(natural)} ways ({reasons}). Choose one with --format.")
    named = "; ".join(f"--format {name}: {fit.why}" for name, fit in seen.items() if fit.strength == 1)
    if named:
        raise AmbiguousError(f"{path} has no natural reading ({_found(path)}). When named it can be read ({named}).")
    reasons = "; ".join(f"{name}: {fit.why}" for name, fit in seen.items())
    wanted = "; ".join(f"{name}: {getattr(catalog.find('formats', name), 'LAYOUT', '')}" for name in seen)
    raise AmbiguousError(
        f"{path} holds no layout that is known: {_found(path)} ({reasons}). Wanted is one of {wanted}."
    )


def _missing(path: Path, scheme: str) -> str:
    sources = catalog.names("sources")
    if scheme and nearest(scheme, sources):
        return f"no source is called '{scheme}'.{nearest(scheme, sources)} Known: {', '.join(sources)}."
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        beside = []
    close = nearest(path.name, beside)
    return f"{str(path)!r} does not exist.{close} Name a folder, a label file, or a drawn world such as drawn:parts."


def _found(path: Path) -> str:
    """What lies there, counted by suffix, so that the user sees what we saw."""
    if not path.is_dir():
        return "one file" if path.is_file() else "nothing that matches"
    inside = (Path(name) for _, _, names in os.walk(path) for name in names if not name.startswith("."))
    counts = Counter(file.suffix.lower() or "no suffix" for file in islice(inside, _LOOK))
    total = sum(counts.values())
    kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in counts.most_common(5))
    more = " or more" if total == _LOOK else ""
    return f"found {total:,}{more} files ({kinds})" if total else "found an empty folder"
