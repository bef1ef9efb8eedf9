"""From what a user names to a data set or a stream: a source, a list, or a place whose layout is recognised."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import AmbiguousError, InputError, nearest
from sightline.core.progress import Tell, silent
from sightline.core.stream import Feed, Stream
from sightline.core.task import Fit

_LOOK = 100_000  # files that are counted to say what was found
_NEAREST = 3  # layouts that are shown where none fits
_MORE = "docs/formats.md shows every layout"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/{1,2}(?=[^/])|file:///")


def open_data(where: Any, *, format: str | None = None) -> Dataset:
    """The data set that a path, a pattern, a list of paths, a `source:place` word or a `Dataset` stands for."""
    if isinstance(where, Dataset):
        return where
    if isinstance(where, list | tuple):
        listed: Dataset = catalog.find("sources", "list").dataset(where)
        return listed
    from sightline.core.sides import is_sides, read_sides  # which opens the data that its file names

    word = str(where)
    source, rest = _source(word)
    if source:
        return _read(source, rest)
    path = Path(word)
    there = bool(word) and "\0" not in word and os.path.lexists(path)
    if not there:
        _refuse_address(word)
    if not there and (not set(word) & set("*?[") or "\0" in word):
        raise InputError("missing", _missing(path, word.partition(":")[0] if ":" in word else ""))
    if path.is_file() and is_sides(path):
        return read_sides(path, format=format)
    name = format
    if name is None:
        seen = _seen(path)
        natural = _natural(path, seen)
        if natural is not None:
            return _read(natural, word)
        name = _recognised(path, seen)
    read: Dataset = catalog.find("formats", name).read(path)
    if not len(read):
        raise InputError("empty", f"{path} was read as {name} and holds no samples: {_found(path)}.")
    return read


def open_stream(where: Any, *, queue: int = 8, drop: str | None = None, tell: Tell = silent) -> Stream:
    """The pictures of a camera, a film or a watched folder as they come; a list or a mapping by name is read together.

    `drop` says what gives way when `queue` shots wait: the source (`block`), the `oldest` or the `newest` of them.
    Where it is not given, what is live drops the oldest and all else waits.
    """
    if isinstance(where, Mapping):
        feeds = [replace(_feed(place), name=str(name)) for name, place in where.items()]
    elif isinstance(where, list | tuple):
        feeds = [_feed(place) for place in where]
    else:
        feeds = [_feed(where)]
    return Stream(feeds, queue=queue, drop=drop, tell=tell)


def recognise(path: Path) -> str:
    """The one format whose natural reading this is; two are refused with both named."""
    return _recognised(path, _seen(path))


def _seen(path: Path) -> dict[str, Fit]:
    """What each format makes of a path."""
    return {name: catalog.find("formats", name).sniff(path) for name in catalog.names("formats")}


def _recognised(path: Path, seen: dict[str, Fit]) -> str:
    natural = [name for name, fit in seen.items() if fit.strength == 2]
    if len(natural) == 1:
        return natural[0]
    if natural:
        reasons = "; ".join(f"{name}: {seen[name].why}" for name in natural)
        raise AmbiguousError(f"{path} can be read in {len(natural)} ways ({reasons}). Choose one with --format.")
    named = "; ".join(f"--format {name}: {fit.why.rstrip('.')}" for name, fit in seen.items() if fit.strength == 1)
    if named:
        raise AmbiguousError(f"{path} has no natural reading ({_found(path)}). When named it can be read ({named}).")
    raise AmbiguousError(_unknown(path, seen))


def _unknown(path: Path, seen: Mapping[str, Fit]) -> str:
    """Why nothing can be read here, and what could be: the layouts that are nearest to the files that lie there."""
    counts, found = _inside(path), _found(path)
    if path.is_dir() and not counts:
        accepted = "pictures, one folder a name, or a label file beside pictures"
        return f"{path} holds no pictures and no labels: {found}. Accepted are {accepted}; {_MORE}."
    wanted = {name: str(getattr(catalog.find("formats", name), "LAYOUT", "")) for name in seen}
    shared = {name: sum(bool(suffix) and suffix in text for suffix in counts) for name, text in wanted.items()}
    close = sorted(wanted, key=lambda name: (-shared[name], len(wanted[name])))[:_NEAREST]
    told = "; ".join(f"{name}: {wanted[name]} ({seen[name].why})" for name in close)
    return f"{path} holds no layout that is known: {found}. Nearest are {told}. Others: {_MORE}."


def _source(word: str) -> tuple[str, str]:
    """The source that a word begins with, and what follows its colon."""
    name, colon, rest = word.partition(":")
    return (name, rest) if colon and name in catalog.names("sources") else ("", word)


def _read(source: str, rest: str) -> Dataset:
    module = catalog.find("sources", source)
    if not hasattr(module, "read"):
        raise InputError(
            "unsupported", f"'{source}:{rest}' is no data set: its pictures come one by one. Use open_stream."
        )
    read: Dataset = module.read(rest)
    return read


def _feed(where: Any) -> Feed:
    if isinstance(where, Feed):
        return where
    word = str(where)
    source, rest = _source(word)
    if not source:
        source = _natural(Path(word), {}) or ""
    if not source:
        _refuse_address(word)
    able = [name for name in catalog.names("sources") if hasattr(catalog.find("sources", name), "feed")]
    if source not in able:
        known = ", ".join(f"{name}:" for name in able)
        close = nearest(word.partition(":")[0], able)
        raise InputError("unsupported", f"{word!r} is no stream.{close} Streams begin with {known} or name a film.")
    feed: Feed = catalog.find("sources", source).feed(rest)
    return feed


def _natural(path: Path, seen: dict[str, Fit]) -> str | None:
    """The source whose natural reading a path is (an archive, films), where it is that of no format."""
    if not os.path.exists(path) or any(fit.strength == 2 for fit in seen.values()):  # noqa: PTH110 - any length
        return None
    modules = {name: catalog.find("sources", name) for name in catalog.names("sources")}
    able = [name for name, module in modules.items() if hasattr(module, "sniff") and module.sniff(path).strength == 2]
    return able[0] if len(able) == 1 else None


def _refuse_address(word: str) -> None:
    if _ADDRESS.match(word):
        raise InputError(
            "unsupported",
            f"{word!r} is an address; nothing is read from elsewhere unless that is asked for. "
            f"If it is meant, write store:{word}",
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
    counts = _inside(path)
    total = sum(counts.values())
    kinds = ", ".join(f"{count:,} {suffix or 'no suffix'}" for suffix, count in counts.most_common(5))
    more = " or more" if total == _LOOK else ""
    return f"found {total:,}{more} files ({kinds})" if total else "found an empty folder"


def _inside(path: Path) -> Counter[str]:
    """How many files of each suffix lie in a folder, or the suffix of a file."""
    if not path.is_dir():
        return Counter([path.suffix.lower()])
    inside = (Path(name) for _, _, names in os.walk(path) for name in names if not name.startswith("."))
    return Counter(file.suffix.lower() for file in islice(inside, _LOOK))
