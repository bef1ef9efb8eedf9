"""Where the lines of a large file lie, and what a split asks of all of them: learnt in one pass, kept in columns."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sightline.core.dataset import SIDES
from sightline.core.errors import InputError

_BLOCK = 2**20  # bytes that are read together
_PARSED = 100  # lines that are parsed together; with more objects at once, collecting garbage takes longer than parsing
_NONE = type(None)
_NAMELESS = ("value", "regions", "heatmap", "picture", "text", "vector")


class Index:
    """Number, start and length of every line that holds a sample; ids, splits, groups and names as columns."""

    def __init__(self) -> None:
        self.numbers, self.starts, self.lengths = array("q"), array("q"), array("q")
        self.ids: list[str] = []
        self.splits: list[Any] = []
        self.groups: list[Any] = []
        self.names: list[Any] = []
        self._plain = {"split", "group", "names"}  # columns in which nothing was odd
        self._same: dict[Any, Any] = {}  # one object for equal values

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, row: int) -> tuple[int, int, int]:
        """Number, start and length of a line."""
        return self.numbers[row], self.starts[row], self.lengths[row]

    def column(self, field: str) -> Sequence[Any] | None:
        """One field of every sample; None where it can only be told by reading the samples."""
        if field == "id":
            return self.ids
        columns = {"split": self.splits, "group": self.groups, "names": self.names}
        return columns[field] if field in self._plain else None

    def extend(self, lines: Sequence[tuple[int, int, int]], plains: Sequence[dict[str, Any]]) -> None:
        """Keep some samples; what is wrong with them beyond their ids is said when they are read."""
        numbers, starts, lengths = zip(*lines, strict=True)
        self.numbers.extend(numbers)
        self.starts.extend(starts)
        self.lengths.extend(lengths)
        self.ids += [plain["id"] for plain in plains]
        self._keep("split", self.splits, [plain.get("split") for plain in plains], {None, *SIDES}.issuperset)
        groups = [plain.get("group") for plain in plains]
        self._keep("group", self.groups, groups, lambda found: {type(group) for group in found} <= {str, _NONE})
        names = [_names(plain.get("truth")) for plain in plains]
        self._keep("names", self.names, names, lambda found: None not in found)

    def _keep(self, field: str, column: list[Any], values: list[Any], fine: Callable[[list[Any]], bool]) -> None:
        if field not in self._plain:
            return
        try:
            if fine(values):
                known = self._same.setdefault
                column += [known(value, value) for value in values]
                return
        except TypeError:  # what cannot be hashed is no value of ours
            pass
        self._plain.discard(field)
        column.clear()


def _names(truth: Any) -> tuple[str, ...] | None:
    """The names that a label counts for, or None where that takes a closer look."""
    if truth is None:
        return ()
    kind = truth.get("kind") if type(truth) is dict else None
    if kind in _NAMELESS:
        return ()
    names = truth.get("names") if kind in ("labels", "objects") else None
    if type(names) is not list or not {type(name) for name in names} <= {str}:
        return None
    if kind == "labels":
        return tuple(names)
    classes = truth.get("classes")
    if type(classes) is not list or not all(type(one) is int and 0 <= one < len(names) for one in classes):
        return None
    return tuple(names[one] for one in classes)


def parsed(
    file: Path, longest: int, parse: Callable[[bytes, str], dict[str, Any]]
) -> Iterator[tuple[list[tuple[int, int, int]], list[dict[str, Any]]]]:
    """Lines that are not empty, some at a time: number, start and length of each, and what each says.

    They are parsed together; `parse` takes one by itself where that fails, and says what is wrong with it and where.
    """
    for places, texts in _blocks(file, longest):
        try:
            plains = json.loads(b"[%s]" % b",".join(texts))
        except (ValueError, RecursionError):
            plains = []
        if len(plains) != len(texts) or not {type(plain) for plain in plains} <= {dict}:
            plains = [parse(text, f"{file} line {place[0]}") for place, text in zip(places, texts, strict=True)]
        yield places, plains


def _blocks(file: Path, longest: int) -> Iterator[tuple[list[tuple[int, int, int]], list[bytes]]]:
    number, start, rest = 1, 0, b""
    try:
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                *texts, rest = (rest + block).split(b"\n")
                for begin in range(0, len(texts), _PARSED):
                    some, places = texts[begin : begin + _PARSED], []
                    for text in some:
                        _check(text, longest, file, number)
                        places.append((number, start, len(text)))
                        number, start = number + 1, start + len(text) + 1
                    yield from _filled(places, some)
                _check(rest, longest, file, number)
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error
    yield from _filled([(number, start, len(rest))], [rest])


def _filled(
    places: list[tuple[int, int, int]], texts: list[bytes]
) -> Iterator[tuple[list[tuple[int, int, int]], list[bytes]]]:
    """Without the lines that hold nothing."""
    if not all(texts) or any(text.isspace() for text in texts):
        kept = [row for row, text in enumerate(texts) if text.strip()]
        places, texts = [places[row] for row in kept], [texts[row] for row in kept]
    if texts:
        yield places, texts


def _check(text: bytes, longest: int, file: Path, number: int) -> None:
    if len(text) >= longest:
        raise InputError("too_large", f"{file} line {number}: longer than {longest:,} bytes.")
