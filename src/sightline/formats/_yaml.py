"""The little of YAML that files about data sets use: keys with words, numbers, lists and numbered names; no more."""

from __future__ import annotations

import json
import re
from typing import Any

from sightline.core.errors import InputError

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:,\[\]{}"'][^:#]*?)\s*:(?:\s+(.*)|)$""")
_PART = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,:\[\]{}"'][^,:\]}]*|[,:\[\]{}])""")


def top_keys(lines: list[str]) -> dict[str, tuple[int, str, list[tuple[int, str]]]]:
    """Each key that begins a line: its line, what stands behind it, and the numbered lines below that belong to it."""
    found: dict[str, tuple[int, str, list[tuple[int, str]]]] = {}
    block: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        bare = _bare(line)
        match = _KEY.match(bare) if bare and not line[0].isspace() and not bare.startswith("-") else None
        if match:
            block = []
            found.setdefault(str(_scalar(match[1], "")), (number, (match[2] or "").strip(), block))
        elif bare and bare not in ("---", "..."):
            block.append((number, bare if line[0].isspace() else f"  {bare}"))
    return found


def value(entry: tuple[int, str, list[tuple[int, str]]], file: str) -> Any:
    """A word, a number, a list, or a table of the keys in a block."""
    number, rest, block = entry
    where = f"{file} line {number}"
    if rest[:1] in ("[", "{"):
        parts = [match[1].strip() for match in _PART.finditer(" ".join([rest, *(line.strip() for _, line in block)]))]
        made, left = _flow(parts, where, 0)
        if left:
            raise InputError("label", f"{where}: more behind a closed bracket.")
        return made
    if rest:
        return _scalar(rest, where)
    rows = [(at, line.strip()) for at, line in block]
    if rows and all(line.startswith("-") for _, line in rows):
        return [_scalar(line[1:].strip(), f"{file} line {at}") for at, line in rows]
    table: dict[Any, Any] = {}
    for at, line in rows:
        match = _KEY.match(line)
        if match is None or not match[2]:
            raise InputError("label", f"{file} line {at}: wanted is a key, a colon and a value, not {line[:40]!r}.")
        key = _scalar(match[1], f"{file} line {at}")
        if key in table:
            raise InputError("label", f"{file} line {at}: {key!r} stands here a second time.")
        inner = match[2].strip()
        table[key] = value((at, inner, []), file) if inner[0] in "[{" else _scalar(inner, f"{file} line {at}")
    return table or None


def _bare(line: str) -> str:
    """The line without its comment and the blanks at its end."""
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (place == 0 or line[place - 1] in " \t:[{,-"):
            quote = letter
        elif letter == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place].rstrip()
    return line.rstrip()


def _scalar(word: str, where: str) -> Any:
    if word[:1] == '"' or word[:1] == "'":
        if len(word) < 2 or word[-1] != word[0]:
            raise InputError("label", f"{where}: a quote that is not closed: {word[:40]}.")
        if word[0] == "'":
            return word[1:-1].replace("''", "'")
        try:
            return json.loads(word, strict=False)
        except ValueError as error:
            raise InputError("label", f"{where}: {word[:40]} cannot be read ({error}).") from error
    if word[:1] in ("&", "*", "!", "|", ">", "%", "@", "`"):
        raise InputError("label", f"{where}: {word[:40]!r} is more of YAML than is read here; write it plainly.")
    if re.fullmatch(r"[+-]?\d{1,18}", word):
        return int(word)
    if re.fullmatch(r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?", word):
        return float(word)
    return {"null": None, "~": None, "": None, "true": True, "false": False}.get(word, word)


def _flow(parts: list[str], where: str, depth: int) -> tuple[Any, list[str]]:
    """A value of words in brackets, and the words behind it."""
    if not parts or depth > 8:
        raise InputError("label", f"{where}: a bracket that is not closed.")
    first, rest = parts[0], parts[1:]
    if first not in ("[", "{"):
        return _scalar(first, where), rest
    table: dict[Any, Any] = {}
    items: list[Any] = []
    while rest and rest[0] != ("]" if first == "[" else "}"):
        item, rest = _flow(rest, where, depth + 1)
        if first == "{":
            if rest[:1] != [":"] or isinstance(item, list | dict):
                raise InputError("label", f"{where}: wanted is a colon behind {str(item)[:40]!r}.")
            table[item], rest = _flow(rest[1:], where, depth + 1)
        else:
            items.append(item)
        if rest[:1] == [","]:
            rest = rest[1:]
        elif rest[:1] not in (["]"], ["}"]):
            raise InputError("label", f"{where}: a bracket that is not closed.")
    if not rest:
        raise InputError("label", f"{where}: a bracket that is not closed.")
    return (items if first == "[" else table), rest[1:]


def quoted(word: str) -> str:
    """A word that reads as itself."""
    return json.dumps(word, ensure_ascii=False)
