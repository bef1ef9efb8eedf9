"""XML that strangers wrote: no document types, no entities, limits on size and depth, every element knows its line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.errors import InputError

LARGEST = 2 * 2**30  # bytes of a file
_DEEPEST = 32
_WIDEST = 1_000_000  # elements within one child of the root
_LONGEST = 64 * 2**20  # characters within one element
_CHUNK = 2**20
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(slots=True)
class Node:
    """One element with what it holds."""

    tag: str
    attributes: dict[str, str]
    where: str  # file and line
    text: str = ""
    children: list[Node] = field(default_factory=list)
    place: tuple[int, int] = (0, 0)  # where it begins in the file, and its line

    def all(self, tag: str) -> list[Node]:
        return [child for child in self.children if child.tag == tag]

    def first(self, tag: str) -> Node | None:
        return next((child for child in self.children if child.tag == tag), None)

    def word(self, tag: str, default: str | None = None) -> str:
        """The text of a child; without a default it has to be there."""
        child = self.first(tag)
        if child is None or not child.text:
            if default is None:
                raise InputError("label", f"{self.where}: <{self.tag}> needs a <{tag}> with text.")
            return default
        return child.text

    def number(self, tag: str) -> float:
        """The number in a child."""
        return as_number(self.word(tag), f"<{tag}>", (self.first(tag) or self).where)

    def given(self, name: str, default: str | None = None) -> str:
        """An attribute; without a default it has to be there."""
        value = self.attributes.get(name, default)
        if value is None:
            raise InputError("label", f"{self.where}: <{self.tag}> needs the attribute '{name}'.")
        return value

    def given_number(self, name: str, default: str | None = None) -> float:
        return as_number(self.given(name, default), f"'{name}'", self.where)


def as_number(word: str, what: str, where: str) -> float:
    """A finite number of a size that a picture can have."""
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not abs(value) <= 1e9 or "_" in word:
        raise InputError("label", f"{where}: {what} must be a number, not {word[:40]!r}.")
    return value


def as_whole(word: str, what: str, where: str) -> int:
    """A whole number."""
    value = as_number(word, what, where)
    if not value.is_integer():
        raise InputError("label", f"{where}: {what} must be a whole number, not {word[:40]!r}.")
    return int(value)


def document(file: Path, root: str) -> Node:
    """A small file as a tree."""
    whole: Node | None = None
    for node in elements(file, root, whole=True):
        whole = node
    if whole is None:
        raise InputError("label", f"{file}: holds no <{root}>.")
    return whole


def piece(file: Path, place: tuple[int, int], changed: int) -> Node:
    """An element that `elements` has shown before, read again from its place in a file that did not change."""
    from xml.parsers import expat

    builder = _Builder(file, "", True, place[1] - 1)
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mtime_ns != changed:
                raise InputError("corrupt", f"{file} changed after it was opened; open it again.")
            opened.seek(place[0])
            while data := opened.read(_CHUNK // 16):
                builder.parser.Parse(data, False)
    except _Whole:
        return builder.done[0]
    except expat.ExpatError as error:
        raise InputError("corrupt", f"{builder.where}: not XML ({expat.ErrorString(error.code)}).") from error
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error
    raise InputError("corrupt", f"{builder.where}: an element without an end.")


class _Whole(Exception):
    """The element that was asked for has ended."""


def elements(file: Path, root: str, *, whole: bool = False) -> Iterator[Node]:
    """The children of the root, one at a time (or the root, where it is small); each is forgotten after its turn."""
    from xml.parsers import expat

    builder = _Builder(file, root, whole)
    try:
        if not file.is_file():
            raise InputError("missing", f"{file}: not a file.")
        if file.stat().st_size > LARGEST:
            raise InputError("too_large", f"{file}: more than {LARGEST:,} bytes.")
        with file.open("rb") as opened:
            last = False
            while not last:
                data = opened.read(_CHUNK)
                last = not data
                builder.parser.Parse(data, last)
                yield from builder.done
                builder.done.clear()
    except expat.ExpatError as error:
        raise InputError("label", f"{file} line {error.lineno}: not XML ({expat.ErrorString(error.code)}).") from error
    except (LookupError, ValueError) as error:
        raise InputError("label", f"{file}: not XML ({error}).") from error
    except OSError as error:
        raise InputError("missing", f"{file}: {error.strerror or error}.") from error


class _Builder:
    """What the parser calls while it reads."""

    def __init__(self, file: Path, root: str, whole: bool, above: int = 0) -> None:
        from xml.parsers import expat

        self.file, self.root, self.keep, self.above = file, root, 0 if whole else 1, above
        self.done: list[Node] = []
        self.stack: list[Node] = []
        self.words: list[list[str]] = []
        self.count = self.length = 0
        self.parser: Any = expat.ParserCreate("utf-8") if not root else expat.ParserCreate()
        self.parser.XmlDeclHandler = self.declared
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler = self.data
        for moment in ("StartDoctypeDecl", "EntityDecl", "ExternalEntityRef", "UnparsedEntityDecl"):
            setattr(self.parser, f"{moment}Handler", self.refuse)

    @property
    def where(self) -> str:
        return f"{self.file} line {self.parser.CurrentLineNumber + self.above}"

    def declared(self, _: str, encoding: str | None, __: int) -> None:
        if self.keep and (encoding or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise InputError("label", f"{self.where}: written in {encoding}, which is not read. Save it as UTF-8.")

    def refuse(self, *_: Any) -> None:
        raise InputError("label", f"{self.where}: a document type or an entity; label files need none. Remove it.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.stack and self.root and tag != self.root:
            raise InputError("label", f"{self.where}: begins with <{tag[:40]}>; wanted is <{self.root}>.")
        self.count += 1
        if len(self.stack) >= _DEEPEST or self.count > _WIDEST:
            raise InputError("too_large", f"{self.where}: elements too deep or too many.")
        node = Node(tag, attributes, self.where)
        node.place = (self.parser.CurrentByteIndex, self.parser.CurrentLineNumber + self.above)
        if len(self.stack) > self.keep:
            self.stack[-1].children.append(node)
        self.stack.append(node)
        self.words.append([])

    def data(self, text: str) -> None:
        self.length += len(text)
        if self.length > _LONGEST:
            raise InputError("too_large", f"{self.where}: more than {_LONGEST:,} characters in one element.")
        if self.words:
            self.words[-1].append(text)

    def end(self, _: str) -> None:
        node = self.stack.pop()
        node.text = "".join(self.words.pop()).strip()
        if len(self.stack) == self.keep:
            self.done.append(node)
            self.count = self.length = 0
            if not self.root:
                raise _Whole


def escaped(text: str, what: str) -> str:
    """Text for an element or an attribute; what XML cannot hold is refused."""
    if _BAD.search(text):
        raise InputError("label", f"{what}: {text[:40]!r} cannot be written in XML.")
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def written(tag: str, inner: str = "", **attributes: Any) -> str:
    """One element; `inner` is markup already."""
    given = "".join(f' {name}="{escaped(str(value), tag)}"' for name, value in attributes.items())
    return f"<{tag}{given}>{inner}</{tag}>" if inner != "" else f"<{tag}{given}/>"


def plain(node: Node) -> Any:
    """What an element says as plain JSON: its text, or its children by name (a list where a name comes again)."""
    if not node.children:
        return node.text
    told: dict[str, Any] = {}
    for child in node.children:
        value = plain(child)
        if child.tag not in told:
            told[child.tag] = value
        elif isinstance(told[child.tag], list):
            told[child.tag].append(value)
        else:
            told[child.tag] = [told[child.tag], value]
    return told


def markup(tag: str, value: Any) -> str | None:
    """Elements that `plain` reads as this value again; None where there are none."""
    if not _NAME.fullmatch(tag):
        return None
    if isinstance(value, str):
        return written(tag, escaped(value, tag)) if value.strip() == value and not _BAD.search(value) else None
    if isinstance(value, list):
        parts = [None if isinstance(item, list) else markup(tag, item) for item in value]
        return None if len(parts) < 2 or None in parts else "".join(part for part in parts if part is not None)
    if not isinstance(value, dict) or not value:
        return None
    inner = [markup(key, item) if isinstance(key, str) else None for key, item in value.items()]
    return None if None in inner else written(tag, "".join(part for part in inner if part is not None))
